// Parallel and Map: graphs inside a state, each with its own variables and its own line of history.
import type { Graph } from './definition.ts';
import { asStateError, Interrupted, StateError } from './errors.ts';
import { evaluate } from './expressions.ts';
import { bindingsOf, runGraph, type Frame, type Visit } from './interpreter.ts';

/** Runs all branches side by side; the first that fails stops the others. */
export async function runBranches(visit: Visit): Promise<unknown[]> {
  const { state, frame } = visit;
  const input = state.Arguments === undefined ? visit.input : await evaluate(state.Arguments, bindingsOf(visit), 'Arguments');
  frame.thread.add('ParallelStateStarted');
  const runs = (state.Branches ?? []).map((branch) => (inner: Frame) => runGraph(branch, input, inner));
  return together(visit, 'Parallel', runs, runs.length);
}

/** Runs the item processor once an item, at most `MaxConcurrency` at a time (0: 40, as AWS). */
export async function runItems(visit: Visit): Promise<unknown[]> {
  const { state, frame, name } = visit;
  const items = state.Items === undefined ? visit.input : await evaluate(state.Items, bindingsOf(visit), 'Items');
  if (!Array.isArray(items)) throw new StateError('States.QueryEvaluationError', `The field 'Items' of '${name}' must be an array.`);
  const atOnce = Number(state.MaxConcurrency === undefined ? 0 : await evaluate(state.MaxConcurrency, bindingsOf(visit), 'MaxConcurrency'));
  frame.thread.add('MapStateStarted', { mapStateStartedEventDetails: { length: items.length } });
  const runs = items.map((Value: unknown, Index) => async (inner: Frame) => {
    const details = { name, index: Index };
    inner.thread.add('MapIterationStarted', { mapIterationStartedEventDetails: details });
    try {
      const result = await runGraph(state.ItemProcessor as Graph, await itemInput(visit, { Index, Value }), { ...inner, mapItem: { Index, Value } });
      inner.thread.add('MapIterationSucceeded', { mapIterationSucceededEventDetails: details });
      return result;
    } catch (thrown) {
      const verb = thrown instanceof Interrupted ? 'Aborted' : 'Failed';
      inner.thread.add(`MapIteration${verb}`, { [`mapIteration${verb}EventDetails`]: details });
      throw thrown;
    }
  });
  return together(visit, 'Map', runs, atOnce === 0 ? 40 : atOnce);
}

async function itemInput(visit: Visit, item: { Index: number; Value: unknown }): Promise<unknown> {
  const selector = visit.state.ItemSelector;
  if (selector === undefined) return item.Value;
  const here: Visit = { ...visit, frame: { ...visit.frame, mapItem: item } };
  return evaluate(selector, bindingsOf(here), 'ItemSelector');
}

async function together(visit: Visit, kind: 'Parallel' | 'Map', runs: readonly ((inner: Frame) => Promise<unknown>)[], atOnce: number): Promise<unknown[]> {
  const { frame } = visit;
  const stop = new AbortController();
  const signal = AbortSignal.any([frame.signal, stop.signal]);
  const results: unknown[] = [];
  let next = 0;
  let failure: StateError | null = null;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < runs.length && !signal.aborted; index = next++)
      try {
        // A copy: what a branch assigns stays in the branch.
        results[index] = await runs[index]?.({ ...frame, signal, thread: frame.thread.fork(), variables: { ...frame.variables } });
      } catch (thrown) {
        if (!(thrown instanceof Interrupted)) failure ??= asStateError(thrown);
        stop.abort();
      }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, runs.length) }, worker));
  if (frame.signal.aborted) throw new Interrupted();
  if (failure !== null) {
    frame.thread.add(`${kind}StateFailed`);
    throw failure as StateError;
  }
  frame.thread.add(`${kind}StateSucceeded`);
  return results;
}
