// Samples of what the workflow hands to the steps that prove, ask, tell and end.
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SNSClient } from '@aws-sdk/client-sns';
import type { LedgerTable } from '../../lambdas/adapters/ledger-table.ts';
import { Notices } from '../../lambdas/adapters/notices.ts';
import { genesis } from '../../lambdas/audit/entry.ts';
import type { Clock } from '../../lambdas/domain/clock.ts';
import type { Assessment, ReportInput, StepApplied, StepResult, Verified } from '../../lambdas/domain/workflow.ts';
import type { Log } from '../../lambdas/runtime/logger.ts';

export const machineArn = 'arn:aws:states:eu-west-1:123456789012:stateMachine:ripcord-rollback';

export const assessment = (change: Partial<Assessment> = {}): Assessment => ({
  rollbackId: 'rb-1', service: 'checkout', mode: 'roll-back', verdict: 'roll-back', headline: 'checkout became worse after v42: rolling back to v41',
  reasons: [{ code: 'signals-agree', text: 'Two independent signals fire since the release.' }], page: false, holdSeconds: 0, wantsEvidence: false, approval: null,
  release: {
    id: 'd-ABC123', service: 'checkout', version: 'v42', previousVersion: 'v41', startedAt: '2026-11-20T09:10:00.000Z', finishedAt: '2026-11-20T09:12:00.000Z',
    status: 'finished', origin: 'codedeploy', actor: 'alice', touched: ['code', 'database'], left: null, alarmsAtStart: [],
  },
  knownGood: { version: 'v41', since: '2026-11-19T09:00:00.000Z', basis: 'baked' },
  signals: [
    { kind: 'alarm', source: 'checkout-5xx', group: '5xx', status: 'firing', since: '2026-11-20T09:14:00.000Z', isOlderThanRelease: false, summary: 'errors above 5 %' },
    { kind: 'journey', source: 'buy', group: 'journeys', status: 'firing', since: null, isOlderThanRelease: false, summary: 'answered 503 <script>alert(1)</script>' },
  ],
  rungs: [
    { name: 'alb-weights', waves: [[step('alb-weights', 'web')], [step('alb-weights', 'api')]] },
    { name: 'codedeploy', waves: [[step('codedeploy', 'group')]] },
  ],
  verification: { intervalSeconds: 20, passesInARow: 3, deadlineSeconds: 900 }, requestedBy: null, fence: 1, configVersion: 7, codeVersion: 'abc123',
  firstSignalAt: '2026-11-20T09:14:00.000Z', audit: genesis, ...change,
});

function step(strategy: string, targetId: string) {
  return { id: `${strategy}/${targetId}`, service: 'checkout', strategy, targetId, target: {}, good: { version: 'v41', basis: 'baked', state: null }, release: null } as const;
}

export const result = (change: Partial<StepApplied> = {}, answer: 'yes' | 'not-yet' | 'failed' | 'changed-by-someone-else' | 'cannot-verify' | null = 'yes'): StepResult => ({
  rung: 'alb-weights',
  applied: {
    stepId: 'alb-weights/web', strategy: 'alb-weights', targetId: 'web', status: 'changed', from: { weights: { blue: 0, green: 100 } }, to: { weights: { blue: 100, green: 0 } },
    handle: null, summary: 'blue 0 → 100, green 100 → 0', reason: null, at: '2026-11-20T09:15:00.000Z', confirmAfterSeconds: 2, ...change,
  },
  confirmed: answer === null ? null : { stepId: 'alb-weights/web', answer, detail: 'Live weights are blue 100.', retryAfterSeconds: 0 },
});

export const verified = (change: Partial<Verified> = {}): Verified => ({
  answer: 'recovered', passes: 3, round: 3, reasons: [{ code: 'journeys-passed', text: '1 journey passed in 3 rounds in a row.' }],
  journeys: { at: '2026-11-20T09:16:30.000Z', results: [{ journey: 'buy', ok: true, durationMs: 40, failedAt: null, reason: null }] }, waitSeconds: 0, audit: null, ...change,
});

export const reportInput = (change: Partial<ReportInput> = {}): ReportInput => ({
  rollbackId: 'rb-1', startedAt: '2026-11-20T09:14:05.000Z', input: { service: 'checkout' }, assessment: assessment(), plans: [], results: [result()],
  verified: verified(), approval: null, error: null, ...change,
});

/** A clock that a test sets. */
export function testClock(start = '2026-11-20T09:17:00.000Z'): Clock & { at: string } {
  const clock = { at: start, now: () => new Date(clock.at) };
  return clock;
}

export const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The same table, but every note of who has a message fails: the claim can be written, what became of it cannot. */
export const withoutNotes = ({ client, name }: LedgerTable, error = 'InternalServerError'): LedgerTable => ({
  name,
  client: Object.assign(Object.create(client) as LedgerTable['client'], {
    send: async (command: { readonly input: { readonly Key?: { readonly sk?: { readonly S?: string } }; readonly UpdateExpression?: string } }) => {
      if (command.input.UpdateExpression !== undefined && command.input.Key?.sk?.S?.startsWith('MESSAGE#') === true) throw Object.assign(new Error('not now'), { name: error });
      return client.send(command as never);
    },
  }),
});

export interface Sent {
  readonly topic: string;
  readonly subject: string;
  readonly text: string;
  readonly urgency: string;
}

/** Notices whose clients hand over what they would send; `failing` says which topic or bus answers with an error. */
export function recordingNotices(failing: () => string | null = () => null) {
  const messages: Sent[] = [];
  const events: { readonly type: string; readonly detail: Record<string, unknown> }[] = [];
  const sns = new SNSClient({ region: 'eu-west-1' });
  const bus = new EventBridgeClient({ region: 'eu-west-1' });
  sns.send = (async ({ input }: { input: { TopicArn: string; Subject: string; Message: string; MessageAttributes: { urgency: { StringValue: string } } } }) => {
    if (failing() === input.TopicArn) throw new Error(`${input.TopicArn} is not there`);
    messages.push({ topic: input.TopicArn, subject: input.Subject, text: input.Message, urgency: input.MessageAttributes.urgency.StringValue });
    return {};
  }) as typeof sns.send;
  bus.send = (async ({ input }: { input: { Entries: { Source: string; DetailType: string; Detail: string }[] } }) => {
    const [entry] = input.Entries;
    if (entry === undefined || entry.Source !== 'ripcord') throw new Error('one entry of source ripcord was expected');
    if (failing() === 'bus') return { FailedEntryCount: 1, Entries: [{ ErrorCode: 'InternalFailure', ErrorMessage: 'try later' }] };
    events.push({ type: entry.DetailType, detail: JSON.parse(entry.Detail) as Record<string, unknown> });
    return { FailedEntryCount: 0, Entries: [{ EventId: '1' }] };
  }) as typeof bus.send;
  return { messages, events, notices: new Notices({ sns, events: bus }, { onCall: 'on-call', stakeholders: 'stakeholders' }) };
}
