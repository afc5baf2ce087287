// Scenarios about ways back, played whole.
import { playEach } from './play-one.ts';

playEach(['alb-weights', 'route53-weights', 'codedeploy', 'codedeploy-in-progress']);
