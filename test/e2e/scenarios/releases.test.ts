// Scenarios about how releases are heard of, played whole.
import { playEach } from './play-one.ts';

playEach(['ecs-service', 'lost-release-events', 'lost-alarm-events', 'same-build-again']);
