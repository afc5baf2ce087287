// Scenarios about acting, played whole.
import { playEach } from './play-one.ts';

playEach(['target-unhealthy', 'permission-missing', 'still-sick-after-rollback', 'changed-by-someone-else', 'manual', 'dry-run', 'shadow']);
