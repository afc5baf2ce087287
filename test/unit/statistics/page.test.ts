// The page with the bench's figures: everything is in it, it is whole HTML, it loads and runs nothing, and its charts show what was counted.
import { describe, expect, it } from 'vitest';
import { drawCases, type Case } from '../../../bench/judge/cases.ts';
import { byScenario, foundOverTime, precisionRecall } from '../../../bench/judge/charts.ts';
import { chosen, decisionOf, drawExample, keep, type Example } from '../../../bench/judge/examples.ts';
import { ripcord } from '../../../bench/judge/judge.ts';
import { madeSubjects } from '../../../bench/judge/made.ts';
import { pageOf, type Part } from '../../../bench/judge/page.ts';
import { plainStatic } from '../../../bench/judge/peers/static.ts';
import { play, type Outcome } from '../../../bench/judge/run.ts';
import { scenarios } from '../../../bench/judge/scenarios.ts';
import { escape } from '../../../bench/judge/svg.ts';

const outcome = (fields: Partial<Outcome>): Outcome =>
  ({ scenario: 'untouched', isBad: false, name: 'x', source: 'made', stepSeconds: 60, saidAt: null, delay: null, looks: 30, microseconds: 30, ...fields });
const bad = { scenario: 'latency ×2', isBad: true };

const tags = /<\/?[a-z][a-z0-9]*(?:\s+[a-z:-]+(?:="[^"<]*")?)*\s*\/?>/gi;
const childless = new Set(['meta']);

/** Elements that are opened and never closed, or closed out of turn, and what is left of `<` outside of tags. Of what the page is made of, HTML lets only `meta` go without an end. */
function problemsOf(html: string): string[] {
  const open: string[] = [];
  const problems: string[] = [];
  const rest = html.replace(/^<!doctype html>/, '').replaceAll(tags, (tag) => {
    const name = /[a-z0-9]+/i.exec(tag)?.[0] ?? '';
    if (tag.startsWith('</')) {
      const last = open.pop();
      if (last !== name) problems.push(`</${name}> closes <${last ?? 'nothing'}>`);
    } else if (!tag.endsWith('/>') && !childless.has(name)) open.push(name);
    return '';
  });
  return [...problems, ...open.map((name) => `<${name}> is never closed`), ...(/[<>]/.test(rest) ? [`outside of tags: ${/.{0,20}[<>].{0,20}/.exec(rest)?.[0] ?? ''}`] : [])];
}

describe('the page', () => {
  const judges = [ripcord, plainStatic(3)];
  const cases = [...drawCases(madeSubjects(), { split: 'development', seed: 1, perScenario: 1, untouched: 2 })];
  const results = new Map(judges.map((judge) => [judge.name, cases.map((one) => play(one, judge))]));
  const [first] = cases;
  if (first === undefined) throw new Error('no cases were drawn');
  const part: Part = {
    title: 'Development split', results, incidents: new Map([['Ripcord', [outcome({ scenario: 'labelled incident', isBad: true })]]]),
    dependencies: [{ harm: 'latency ×2', saidAt: [5, 6, null, null] }],
    missed: [{ stepSeconds: 3600, refusal: 'there before' }],
    recoveries: [{ harm: 'latency ×2', remaining: 0.5, saidAt: null, badAt: 8 }],
    examples: [{ one: { ...first, subject: { ...first.subject, name: 'a <b> & "c"' } }, outcome: play(first, ripcord) }],
  };
  const html = pageOf([part], 'so & so many <bytes>');

  it('shows every scenario and every judge', () => {
    expect(scenarios.length).toBeGreaterThan(20);
    for (const { name } of scenarios) expect(html, name).toContain(`<td>${escape(name)}</td>`);
    for (const [index, { name }] of judges.entries()) expect(html).toContain(`</i>${index + 1} ${name}</li>`);
    for (const text of ['labelled incidents seen', 'called still bad within 10', '<td>there before</td>', 'so &amp; so many &lt;bytes&gt;', 'a &lt;b&gt; &amp; &quot;c&quot;']) expect(html).toContain(text);
  });

  it('is whole: what is opened is closed, and no name of a series can be taken for a tag', () => {
    expect(html).toMatch(/^<!doctype html><html lang="en"><meta charset="utf-8">/);
    expect(problemsOf(html)).toEqual([]);
    expect(problemsOf('<!doctype html><p><b>no</p>')).not.toEqual([]);
    expect(problemsOf('<!doctype html><p>1 < 2</p>')).not.toEqual([]);
  });

  it('runs no script and loads nothing from elsewhere', () => {
    expect(html).not.toMatch(/<(script|link|iframe|img|object|embed|base)\b|\son[a-z]+\s*=|javascript:|@import|url\(|\b(src|href|srcset|action)\s*=|https?:|\/\//i);
  });

  it('has no figure that is not a number', () => {
    expect(html).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe('the charts', () => {
  /** Two bad releases of four found, one after one point and one after five; one healthy release of two rolled back. */
  const counted = new Map([['Ripcord', [
    outcome({}), outcome({ saidAt: 3 }), outcome({ ...bad, saidAt: 1, delay: 1 }), outcome({ ...bad, saidAt: 5, delay: 5 }), outcome({ ...bad }), outcome({ ...bad }),
  ]]]);

  it('put a judge at its recall and precision', () => {
    // Recall 2 of 4: a sixth of the way from 0.4 to 1, from 40 to 508. Precision 2 of 3: four ninths of the way up, from 286 to 12.
    expect(precisionRecall(counted)).toContain('<circle cx="118.0" cy="164.2" r="7"');
    expect(precisionRecall(counted)).toContain('Ripcord: recall 0.500, precision 0.667');
  });

  it('number the dots as the legend does, once where two judges score alike', () => {
    const [[, same = []] = []] = counted;
    const alike = precisionRecall(new Map([['Ripcord', same], ['the same', same], ['never wrong', [outcome({ ...bad, saidAt: 1, delay: 1 })]]]));
    expect([...alike.matchAll(/<text class="label" x="([\d.]+)" y="([\d.]+)">([\d, ]+)</g)].map(([, ...place]) => place)).toEqual([['128.0', '168.2', '1, 2'], ['518.0', '16.0', '3']]);
  });

  it('draw what was found by each delay', () => {
    // Nothing at 0, a quarter from 1 on, half from 5 on; a point is 468 / 30 = 15.6 wide, everything 274 high.
    const path = /d="(M40\.0 286\.0[^"]*)"\/><\/svg>/.exec(foundOverTime(counted))?.[1] ?? '';
    expect(path.split('L').slice(0, 7)).toEqual(['M40.0 286.0', '55.6 217.5', '71.2 217.5', '86.8 217.5', '102.4 217.5', '118.0 149.0', '133.6 149.0']);
    expect(path.split('L')).toHaveLength(31);
  });

  it('draw a bar for each scenario as long as its recall, or as its share rolled back for nothing', () => {
    // From 190 to 1048: half of 858.
    expect(byScenario(counted, true)).toMatch(/latency ×2<\/text><rect x="190" y="12" height="8" width="429\.0"/);
    expect(byScenario(counted, false)).toMatch(/untouched<\/text><rect x="190" y="12" height="8" width="429\.0"/);
    expect(byScenario(counted, true)).not.toContain('untouched');
  });
});

describe('the examples', () => {
  const cases = [...drawCases(madeSubjects(), { split: 'development', seed: 1, perScenario: 1, untouched: 0 })];
  const named = (name: string): Case => {
    const one = cases.find(({ scenario }) => scenario === name);
    if (one === undefined) throw new Error(`no case of ${name} was drawn`);
    return one;
  };
  const [broken, regional] = [named('latency ×4'), named('regional latency')];
  const told = (one: Case, fields: Partial<Outcome>): Example => ({ one, outcome: outcome({ scenario: one.scenario, isBad: one.isBad, ...fields }) });

  it('are right when a bad release was rolled back after its harm began, or another was not', () => {
    expect([{ saidAt: 5, delay: 3 }, { saidAt: 2, delay: 0 }, { saidAt: null }].map((fields) => decisionOf(told(broken, fields)))).toEqual(['found', 'accused', 'missed']);
    expect([{ saidAt: 5 }, { saidAt: null }].map((fields) => decisionOf(told(regional, fields)))).toEqual(['accused', 'spared']);
  });

  it('are kept once for each scenario and decision, and spared ones only where something moved', () => {
    const kept: Example[] = [];
    const still: Case = { ...regional, service: broken.service, release: broken.release, scenario: 'still' };
    const quiet = { ...still, service: { ...still.service, latency: still.service.latency?.map(() => 100) ?? null, errors: null, requests: null }, controls: [] };
    for (const example of [told(broken, { saidAt: null }), told(broken, { saidAt: null }), told(broken, { saidAt: 5, delay: 3 }), told(quiet, {}), told(regional, {})]) keep(kept, example);
    expect(kept.map((example) => [example.one.scenario, decisionOf(example)])).toEqual([['latency ×4', 'missed'], ['latency ×4', 'found'], ['regional latency', 'spared']]);
  });

  it('are chosen from all over what was kept', () => {
    const all = Array.from({ length: 10 }, (_, index) => told(broken, { saidAt: index + 1, delay: 1 }));
    expect(chosen(all, 'found', 4).map(({ outcome: { saidAt } }) => saidAt)).toEqual([1, 4, 6, 9]);
    expect(chosen(all.slice(0, 3), 'found', 4)).toHaveLength(3);
    expect(chosen(all, 'missed', 4)).toEqual([]);
  });

  it('are drawn with the units of both axes, the services compared, and what was said', () => {
    const html = drawExample(told(regional, {}));
    expect(html).toContain('latency, ms</text>');
    expect(html).toMatch(/points of (1 min|5 min|1 h) from the release<\/text>/);
    expect(html.match(/class="company"/g)).toHaveLength(regional.controls.length);
    expect(html).toContain('never rolled back');
    expect(html).toContain('so are the comparison services');
  });
});
