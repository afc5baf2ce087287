// Scenarios about metrics, played whole.
import { playEach } from './play-one.ts';

playEach(['no-alarm-sees-it', 'nobody-knows-why']);
