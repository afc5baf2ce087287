// Scenarios about which way back is taken: past a version that was bad as well, and where the database has moved on.
import { checkEndedAs, checkMetricsProved, checkPaged, checkQuietEnd, checkRecovered, expectNoChange, judgedIn } from './facts.ts';
import { fleetTarget, judgedSignals, shopService, webTarget } from './shop-service.ts';
import type { AuditRow, RollbackRun, Scenario, Stage } from './scenario.ts';

const sick = { errorShare: 0.4, delayMs: 250 } as const;

interface Decided {
  readonly decision?: { readonly good?: { readonly version?: string } | null; readonly verdict?: string; readonly ways?: readonly { readonly rung: string; readonly answer: string }[] };
}

const lastDecision = (rows: readonly AuditRow[]): NonNullable<Decided['decision']> => (rows.findLast(({ kind }) => kind === 'assessed')?.data as Decided | undefined)?.decision ?? {};

export const previousBadToo: Scenario = {
  name: 'previous-bad-too',
  summary: 'the version before the bad one was bad as well, and nobody noticed: the fleet goes back past it, to the last one that was known good',
  traffic: 'codedeploy',
  service: (workload) => shopService(workload, { fleet: fleetTarget(workload) }, { signals: judgedSignals(workload) }),
  async play(stage) {
    await stage.minutes(4);
    stage.makePast(3);
    stage.say('2.0.0 is slower, though below every alarm');
    stage.sicken('green', { delayMs: 50 });
    await stage.release('2.0.0');
    await stage.minutes(1);
    stage.say('3.0.0 is to mend it before its bake is over, and is worse');
    await stage.release('3.0.0');
    stage.sicken('green', sick);
    const run = await stage.ended(40);
    const rows = await checkRecovered(stage, run);
    checkMetricsProved(stage, rows);
    const { good } = lastDecision(rows);
    stage.check('it went to the last known good version, not to the last one', good?.version?.includes('1.0.0') === true, JSON.stringify(good));
    const weights = await stage.weights();
    stage.check('the whole fleet runs 1.0.0', weights['blue'] === 100, JSON.stringify(weights));
    const told = stage.messages().find(({ subject }) => subject.includes('rolling back'))?.text ?? '';
    stage.check('people were told that 2.0.0 goes too', /Risk: high \([^)]*2\.0\.0[^)]*go(es)? too/.test(told), /Risk:.*/.exec(told)?.[0] ?? told.slice(0, 300));
    checkQuietEnd(stage);
  },
};

/** What every run about a floor that forbids the way back must come to. */
async function checkRefused(stage: Stage, run: RollbackRun): Promise<void> {
  const { ways } = lastDecision(await stage.audit(run.rollbackId));
  stage.check('the way back was refused before anything was touched', ways?.length === 1 && ways[0]?.answer === 'refused', JSON.stringify(ways));
  expectNoChange(stage, 'at all');
  const weights = await stage.weights();
  stage.check('green keeps the traffic: blue would work on data it does not know', weights['green'] === 100, JSON.stringify(weights));
}

export const schemaMoved: Scenario = {
  name: 'schema-moved',
  summary: 'the bad release migrated the database: its floor refuses the older version up front, a person is told what remains, and the fix forward ends it',
  traffic: 'load-balancer',
  service: (workload) => shopService(workload, { web: webTarget(workload) }, { signals: judgedSignals(workload) }),
  async play(stage) {
    await stage.minutes(5);
    stage.makePast(4);
    const backup = { reference: 'arn:aws:rds:eu-west-1:123456789012:snapshot:shop-before-2-0-0', at: '2026-01-01T00:00:00Z' };
    await stage.release('2.0.0', { says: { touched: ['code', 'database'], databaseFloor: '2.0.0', backup, approvals: [{ by: 'dana', at: '2026-01-01T00:00:00Z' }] } });
    await stage.minutes(1);
    stage.say('a person asks beforehand what going back would mean');
    await stage.start({ service: stage.service, reason: 'what if 2.0.0 is bad?', requestedBy: 'dana', mode: 'dry-run' });
    const asked = await stage.ended(5);
    checkEndedAs(stage, asked, ['dry-run']);
    stage.check('the dry run says that it cannot go back, and why', /dry run, nothing was changed\. .*1\.0\.0 does not work with the database/.test(asked.headline), asked.headline);
    await checkRefused(stage, asked);
    stage.sicken('green', sick);
    const run = await stage.ended(25);
    checkEndedAs(stage, run, ['left']);
    await checkRefused(stage, run);
    const said = judgedIn(await stage.audit(run.rollbackId));
    stage.check('the metrics had a say', said.length > 0, said.at(-1)?.summary ?? 'no signal of metrics');
    checkPaged(stage, /1\.0\.0 does not work with the database as it is now/);
    checkPaged(stage, /fix forward/);
    checkPaged(stage, /snapshot:shop-before-2-0-0/);
    await stage.until('both alarms fired, and every run about them has ended', () => ['shop-5xx-share', 'shop-latency-p90'].every((name) => stage.alarmState(name) === 'ALARM')
      && stage.rollbacks().every(({ status }) => status !== 'RUNNING'), 10);
    const pages = stage.messages().filter(({ topic, subject }) => topic === 'on-call' && subject.startsWith('PAGE '));
    stage.check('on-call was woken once, however many alarms tell of it', pages.length === 1, `${pages.map(({ subject }) => subject).join(' | ')}; ${stage.rollbacks().map(({ headline }) => headline).join(' | ')}`);
    stage.say('2.0.1 mends it on the same schema');
    stage.sicken('green', {});
    await stage.release('2.0.1');
    await stage.until('the alarms are quiet', () => ['shop-5xx-share', 'shop-latency-p90'].every((name) => stage.alarmState(name) === 'OK'), 15);
    expectNoChange(stage, 'about the fix');
  },
};

export const schemaCompatible: Scenario = {
  name: 'schema-compatible',
  summary: 'the bad release migrated the database, and the version before still works with it: traffic goes back, and people hear what is not undone',
  traffic: 'load-balancer',
  service: (workload) => shopService(workload, { web: webTarget(workload) }),
  async play(stage) {
    await stage.minutes(5);
    await stage.release('2.0.0', { says: { touched: ['code', 'database'], databaseFloor: '1.0.0' } });
    stage.sicken('green', sick);
    const run = await stage.ended(25);
    await checkRecovered(stage, run);
    const told = stage.messages().find(({ subject }) => subject.includes('rolling back'))?.text ?? '';
    stage.check('people were told that the database stays', told.includes('Database changes of 2.0.0 are NOT undone'), told.slice(0, 400));
    const weights = await stage.weights();
    stage.check('all traffic is back on blue', (weights['blue'] ?? 0) > 0 && weights['green'] === 0, JSON.stringify(weights));
    checkQuietEnd(stage);
  },
};
