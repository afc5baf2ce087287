// Scenarios about the same service in another Region, played whole.
import { playEach } from './play-one.ts';

playEach(['shared-across-regions', 'only-this-region']);
