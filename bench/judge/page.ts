// The page with the figures: one file, no script, readable in ten years.
import { byScenario, foundOverTime, legend, precisionRecall, type Results } from './charts.ts';
import type { DependencyOutcome } from './dependencies.ts';
import { chosen, drawExample, type Decision, type Example } from './examples.ts';
import type { Missed } from './missed.ts';
import type { RecoveryOutcome } from './recovery.ts';
import { escape } from './svg.ts';
import { dependencyTable, incidentTable, judgesTable, missedTable, recoveryTable, scenarioTable, sourceTable } from './tables.ts';

export interface Part {
  readonly title: string;
  readonly results: Results;
  readonly incidents: Results;
  readonly recoveries: readonly RecoveryOutcome[];
  readonly dependencies: readonly DependencyOutcome[];
  /** Bad releases that Ripcord never accused. */
  readonly missed: readonly Missed[];
  readonly examples: readonly Example[];
}

const style = `
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:1080px;padding:0 1rem;color:#1d2a26;background:#fff}
h1{font-size:1.6rem}h2{margin-top:2.5rem;border-bottom:2px solid #0b6e4f}svg{width:100%;height:auto;background:#fbfaf7}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:1.2rem}figure{margin:0 0 1rem}figcaption{font-weight:600;font-size:13px}figure p{font-size:13px;margin:.3rem 0}
table{border-collapse:collapse;font-size:13px;margin:1rem 0}td,th{border:1px solid #d9d4c7;padding:.2rem .5rem;text-align:right}td:first-child,th:first-child{text-align:left}
.judges tbody tr:first-child td{font-weight:600}.grid{stroke:#e3dfd3}.tick,.label{font-size:11px;fill:#5c6661}.label{font-weight:600}.goal{fill:#0b6e4f;opacity:.25}
.release{stroke:#2f6690;stroke-width:2}.company{stroke:#b9b2a3;stroke-width:1}.onset{stroke:#e0a458;stroke-width:2;stroke-dasharray:4 3}.said{stroke:#c8553d;stroke-width:2}
.legend{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;list-style:none;padding:0;font-size:13px}.legend i{display:inline-block;width:12px;height:12px;margin-right:.4rem}
@media(max-width:760px){.pair{grid-template-columns:1fr}}`;

const toHtml = (markdown: string): string => {
  const rows = markdown.split('\n').filter((row) => !row.startsWith('| ---')).map((row) => row.slice(2, -2).split(' | ').map(escape));
  const [head = [], ...body] = rows;
  return `<table><thead><tr>${head.map((cell) => `<th>${cell}</th>`).join('')}</tr></thead><tbody>${body.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('')}</tbody></table>`;
};

const decisions: readonly (readonly [Decision, string])[] = [
  ['found', 'Right: bad releases that were rolled back'],
  ['spared', 'Right: something moved, and the release was left alone'],
  ['missed', 'Wrong: bad releases that were never rolled back'],
  ['accused', 'Wrong: rolled back for nothing'],
];

const marks = `<ul class="legend"><li><i style="background:#1d2a26"></i>the service</li><li><i style="background:#b9b2a3"></i>services it is compared with, errors as they are, latency and requests brought to its level before the release</li>
<li><i style="background:#2f6690"></i>the release</li><li><i style="background:#e0a458"></i>the harm begins (dashed)</li><li><i style="background:#c8553d"></i>Ripcord rolls back</li></ul>`;

const examplesOf = (examples: readonly Example[]): string => decisions.map(([decision, title]) => {
  const pictures = chosen(examples, decision, 4).map(drawExample).join('');
  return `<h3>${title}</h3>${pictures === '' ? '<p>None.</p>' : `<div class="pair">${pictures}</div>`}`;
}).join('\n');

const partOf = ({ title, results, incidents, recoveries, dependencies, missed, examples }: Part): string => {
  const [ours = []] = results.values();
  return `<h2>${escape(title)}</h2>${legend([...results.keys()])}<div class="judges">${toHtml(judgesTable(results))}</div>
<div class="pair"><figure><figcaption>Precision against recall, numbered as above; the goal is shaded</figcaption>${precisionRecall(results)}</figure>
<figure><figcaption>Share of the bad releases found, by delay</figcaption>${foundOverTime(results)}</figure></div>
<h3>Recall, bad releases</h3>${byScenario(results, true)}<h3>Rolled back for nothing</h3>${byScenario(results, false)}
<h3>Ripcord by scenario</h3>${toHtml(scenarioTable(ours))}<h3>Ripcord by source</h3>${toHtml(sourceTable(ours))}
<h3>What Ripcord missed</h3>${toHtml(missedTable(missed))}
<h3>Real incidents</h3>${toHtml(incidentTable(incidents))}
<h3>With something that the service calls</h3>${toHtml(dependencyTable(dependencies))}
<h3>After the rollback</h3>${toHtml(recoveryTable(recoveries))}
<h3>Decisions drawn over their series</h3><p>Under each is what Ripcord said when it spoke, or at the last of the 30 points.</p>${marks}
${examplesOf(examples)}`;
};

export const pageOf = (parts: readonly Part[], footer: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Ripcord: the metric judge, measured</title><style>${style}</style>
<h1>The metric judge, measured</h1><p>The same cases for every judge, asked again at each of 30 points after the release; the first “roll back” counts. A point is one period of the series, from a minute to an hour; delays are in points.</p>
${parts.map(partOf).join('\n')}<p>${escape(footer)}</p></html>\n`;
