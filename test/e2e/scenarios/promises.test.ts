// Scenarios about promised availability and latency, played whole.
import { playEach } from './play-one.ts';

playEach(['budget-burns', 'low-traffic']);
