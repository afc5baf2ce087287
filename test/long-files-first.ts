// Starts what takes longest first: the files that play whole scenarios are short, and vitest alone would start them last.
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const order = ['/test/e2e/scenarios/', '/test/e2e/'];

export class LongFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const found = order.findIndex((part) => moduleId.includes(part));
      return found === -1 ? order.length : found;
    };
    // oxlint-disable-next-line unicorn/no-array-sort -- no array's, but vitest's
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => rank(one) - rank(other));
  }
}
