// Scenarios about the choice of the way back, played whole.
import { playEach } from './play-one.ts';

playEach(['previous-bad-too', 'schema-moved', 'schema-compatible']);
