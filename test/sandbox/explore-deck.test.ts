// The cases of an exploration are dealt so that a worker stays with a scenario.
import { expect, test } from 'vitest';
import { parseCase } from '../../sandbox/explore/cases.ts';
import { Deck } from '../../sandbox/explore/deck.ts';

const cases = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts).flatMap(([scenario, count]) => Array.from({ length: count }, (_, index) => parseCase(`${scenario}/a/b#${index + 1}/denied`)));

const short = (id: string | null): string | null => (id === null ? null : `${id.slice(0, 1)}${/#(\d+)/.exec(id)?.[1]}`);

test('each worker has a scenario of its own, in the order of their first cases; the last one they share', () => {
  const deck = new Deck(cases({ b: 3, a: 2, c: 1 }));
  const dealt = [1, 2, 2, 1, 1, 2, 1, 2].map((worker) => short(deck.next(worker)));
  expect(dealt).toEqual(['b1', 'a1', 'a2', 'b2', 'b3', 'c1', null, null]);
});

test('a worker whose scenario is at its end helps with what is left, and every case is dealt once', () => {
  const deck = new Deck(cases({ b: 4, a: 1 }));
  expect([1, 2, 2, 1, 2, 1].map((worker) => short(deck.next(worker)))).toEqual(['b1', 'a1', 'b2', 'b3', 'b4', null]);
});

test('cases whose clients wait for minutes go to places of their own, which take no others', () => {
  const waiting = parseCase('b/strategy-route53-weights/route53:GetChange#1/throttled-for-good');
  const deck = new Deck([waiting, ...cases({ a: 1 })]);
  expect([deck.next(1), deck.next(1), deck.next(1, true), deck.next(1, true)]).toEqual(['a/a/b#1/denied', null, waiting.id, null]);
});
