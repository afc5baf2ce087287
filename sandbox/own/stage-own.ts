// Sets one service of the user's up in a sandbox of its own, says what stands for what, plays the rehearsal, and tells how it went.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import pc from 'picocolors';
import { stringify } from 'yaml';
import type { Deployed } from '../deploy/deployer.ts';
import { startSandbox, type Sandbox } from '../sandbox.ts';
import { alarmGroups, createOwnAlarms, OwnMetrics } from './alarms.ts';
import type { OwnDocument } from './document.ts';
import { Ground, oldVersion } from './ground.ts';
import { rehearsedJourneys, type Note, type RehearsedJourneys } from './journeys.ts';
import { Mirror } from './mirror.ts';
import { playRehearsal } from './rehearsal.ts';
import { scaled, type Scaled } from './scaled.ts';
import { startOwnWorkload, type OwnWorkload } from '../stage/own-workload.ts';
import { graceMs, verdictOf, type Played, type PlayOptions } from '../stage/play.ts';
import { namesOf, RipcordView } from '../stage/ripcord-view.ts';
import { LiveStage } from '../stage/stage.ts';
import { Timeline } from '../stage/timeline.ts';

/** The least that users ask for in a sandbox minute. */
const requestsPerMinute = 35;

/** Plays the rehearsal of one service in an empty sandbox. @throws Error when the configuration cannot be built at all. */
export async function rehearseService(document: OwnDocument, name: string, options: PlayOptions): Promise<Played> {
  const { directory, speed } = options;
  await rm(directory, { recursive: true, force: true });
  await mkdir(path.join(directory, 'logs'), { recursive: true });
  const plan = scaled(document, name);
  const sandbox = await startSandbox({ speed, graceMs, place: plan.place, logDirectory: path.join(directory, 'logs') });
  try {
    return await new OwnStage({ document, name, plan, sandbox, options }).play();
  } finally {
    await sandbox.stop();
  }
}

interface OwnStageParts {
  readonly document: OwnDocument;
  readonly name: string;
  readonly plan: Scaled;
  readonly sandbox: Sandbox;
  readonly options: PlayOptions;
}

class OwnStage {
  readonly #parts: OwnStageParts;

  constructor(parts: OwnStageParts) {
    this.#parts = parts;
  }

  async play(): Promise<Played> {
    const { sandbox, plan, name, options } = this.#parts;
    const mirror = new Mirror();
    const metrics = new OwnMetrics(sandbox.services.cloudwatch, plan.service, requestsPerMinute);
    const workload = await startOwnWorkload(new Ground(sandbox, mirror), plan.service, metrics);
    sandbox.onStop(() => workload.stop());
    metrics.recordPast(sandbox.clock.now());
    const watched = createOwnAlarms(sandbox.services.cloudwatch, plan.service);
    const journeys = rehearsedJourneys(plan.service, name, { mirror, front: workload.names.url });
    for (const [arn, text] of journeys.secrets) sandbox.services.secrets.create(arn.split(':secret:').at(-1) ?? arn, text, null, arn);
    this.#tellWhatStandsForWhat(workload, watched, journeys);
    if (metrics.factor > 1) options.print(`  ${pc.dim(`one request of the rehearsal counts as ${metrics.factor} in the traffic metric`)}`);
    const deployed = await sandbox.deploy(await this.#synthesize(journeys));
    const ripcord = new RipcordView(sandbox, namesOf(deployed));
    const timeline = new Timeline(sandbox, options.print);
    const stage = new LiveStage({ sandbox, running: workload, ripcord, timeline, service: name });
    options.print('');
    timeline.follow(ripcord.names);
    stage.load.start();
    let error: string | null = null;
    try {
      for (const note of journeys.leftOut) stage.check('every expectation of the journeys was rehearsed', false, `${this.#at(note)} was left out`);
      await playRehearsal({ service: plan.service, sandbox, workload, stage, approver: plan.approver, alarms: signalAlarms(sandbox, deployed, name) });
    } catch (caught) {
      error = caught instanceof Error ? caught.message : String(caught);
    }
    try {
      return await verdictOf({ name }, { sandbox, stage, ripcord, timeline, stop: () => sandbox.stop() }, error);
    } finally {
      stage.load.stop();
      timeline.stop();
    }
  }

  /** The user's configuration with this service alone, and with what the rehearsal replaced. */
  async #synthesize({ journeys }: RehearsedJourneys): Promise<string> {
    const { options, plan, name } = this.#parts;
    const config = path.join(options.directory, 'services.yaml');
    await writeFile(config, stringify({ engine: plan.engine, services: { [name]: { ...plan.service, journeys } } }));
    const assembly = path.join(options.directory, 'cdk.out');
    options.synthesize(config, assembly);
    return assembly;
  }

  #tellWhatStandsForWhat({ targets, primary, names }: OwnWorkload, watched: ReadonlyMap<string, string>, { leftOut, replaced, secrets }: RehearsedJourneys): void {
    const { plan, options: { print } } = this.#parts;
    const rows: [string, string][] = [
      ['users', `requests to ${names.url}, which go where target ${primary} leads them`],
      ...targets.map(({ id, summary }): [string, string] => [`target ${id}`, summary]),
      ...[...watched].map(([alarm, what]): [string, string] => [`alarm ${alarm}`, what]),
      ['signals', signalsShown(plan)],
      ...((plan.service.signals.metrics ?? []).length === 0 ? [] : [['metrics', 'what users meet, after a quiet day that is made up'] satisfies [string, string]]),
      ...[...secrets.keys()].map((arn): [string, string] => [`secret ${arn.split(':secret:').at(-1) ?? arn}`, 'a made-up value']),
      ['engine', `account ${plan.place.account}, ${plan.place.region}; the service's version is ${oldVersion}, the release is 2.0.0`],
    ];
    const width = Math.max(...rows.map(([left]) => left.length));
    print(pc.bold('What stands for what'));
    for (const [left, right] of rows) print(`  ${left.padEnd(width)}  ${right}`);
    const changed = [...plan.replaced, ...replaced];
    if (changed.length > 0) print(`\n${pc.bold('Replaced in the rehearsed copy of the configuration')}`);
    for (const note of changed) print(`  ${this.#at(note)}`);
    if (leftOut.length > 0) print(`\n${pc.red('Left out, as nothing can stand for it; the rehearsal counts as failed')}`);
    for (const note of leftOut) print(`  ${this.#at(note)}`);
  }

  readonly #at = ({ where, text }: Note): string => `${this.#parts.document.at(where)}: ${text}`;
}

/** As the catalogue entry names them: those of the configuration, and those that the stack makes of an objective. */
function signalAlarms({ services: { parameters } }: Sandbox, deployed: Deployed, service: string): readonly string[] {
  const entry = deployed.byType('AWS::SSM::Parameter').find(({ ref }) => ref.endsWith(`/services/${service}`));
  if (entry === undefined) throw new Error(`the stack has no catalogue entry of ${service}`);
  const { service: { signals } } = JSON.parse(parameters.get(entry.ref).value) as { readonly service: { readonly signals: { readonly alarms: readonly { readonly name: string }[] } } };
  return signals.alarms.map(({ name }) => name);
}

/** Independent signals that the rehearsal can give, and how many the service asks for. */
function signalsShown({ service }: Scaled): string {
  const { signals, journeys = {} } = service;
  const [alarms, tools, isWalked] = [alarmGroups(service).length, (signals.external ?? []).length, Object.keys(journeys).length > 0];
  const isMeasured = (signals.metrics ?? []).length > 0;
  const most = alarms + tools + Number(isWalked) + Number(isMeasured);
  const minimum = signals.minimum ?? 2;
  const given = `${alarms} from alarms, ${tools} from other tools${isWalked ? ', one from the journeys' : ''}${isMeasured ? ', one from its metrics' : ''}`;
  return most < minimum ? pc.red(`${minimum} independent ones are asked for, and there are never more than ${most}: ${given}`) : `${minimum} of ${most} independent ones are asked for: ${given}`;
}
