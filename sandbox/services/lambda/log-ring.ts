// The last lines a function wrote, and where asked a file with all of them.
import { appendFileSync } from 'node:fs';

const keptLines = 5000;

export class LogRing {
  readonly #lines: string[] = [];
  readonly #file: string | null;

  constructor(file: string | null) {
    this.#file = file;
  }

  add(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > keptLines) this.#lines.splice(0, this.#lines.length - keptLines);
    if (this.#file !== null) appendFileSync(this.#file, `${line}\n`);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }
}
