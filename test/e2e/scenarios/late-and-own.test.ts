// Scenarios about what a release is, played whole.
import { playEach } from './play-one.ts';

playEach(['an-hour-later', 'own-rollback']);
