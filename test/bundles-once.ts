// Bundles the functions before the first test file starts: otherwise each of those that start together would.
import { bundleOf } from '../lib/engine/bundle.ts';

export const setup = (): void => void bundleOf('assess');
