// Scenarios about signals, played whole.
import { playEach } from './play-one.ts';

playEach(['already-in-alarm', 'no-release', 'sick-dependency', 'sick-region', 'quickest-in-region', 'duplicate-storm', 'second-signal-missing', 'flapping']);
