// Tells how far the exploration is: a bar on a terminal, a line now and then elsewhere.
import pc from 'picocolors';
import type { CaseResult } from './run-case.ts';

const width = 30;
// Elsewhere than on a terminal one line for so many cases.
const linesEach = 50;

export class Progress {
  readonly #total: number;
  readonly #print: (line: string) => void;
  readonly #isTerminal: boolean;
  readonly #startedAt = performance.now();
  #done = 0;
  #broken = 0;

  constructor(total: number, print: (line: string) => void, isTerminal: boolean = process.stdout.isTTY) {
    this.#total = total;
    this.#print = print;
    this.#isTerminal = isTerminal;
  }

  add(result: CaseResult): void {
    this.#done += 1;
    if (result.ending === 'broken') {
      this.#broken += 1;
      // At once: an exploration that is stopped halfway has said what it knew.
      this.#print(`${this.#isTerminal ? '\r' : ''}BROKEN ${result.id}: ${result.broken.join('; ')}`);
    }
    if (this.#isTerminal) process.stdout.write(`\r${this.#line()}`);
    else if (this.#done % linesEach === 0 || this.#done === this.#total) this.#print(this.#line());
  }

  end(): void {
    if (this.#isTerminal) process.stdout.write('\n');
  }

  #line(): string {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const left = this.#done === 0 ? 0 : (seconds / this.#done) * (this.#total - this.#done);
    const filled = Math.round((this.#done / Math.max(1, this.#total)) * width);
    const broken = this.#broken === 0 ? pc.green('all hold') : pc.red(`${this.#broken} broken`);
    return `${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${this.#done}/${this.#total}, ${broken}, ${Math.round(left)} s left   `;
  }
}
