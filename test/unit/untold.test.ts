// Who is woken because the announcement of a rollback failed.
import { expect, test } from 'vitest';
import { incidentReport } from '../../lambdas/runtime/incident-report.ts';
import { nextSteps } from '../../lambdas/runtime/messages-next.ts';
import { endedSubject } from '../../lambdas/runtime/messages-subject.ts';
import { endingOf } from '../../lambdas/runtime/report-outcome.ts';
import { withUntold } from '../../lambdas/runtime/untold.ts';
import { machineArn, reportInput } from './report-samples.ts';
import { genesis } from '../../lambdas/audit/entry.ts';

const recovered = endingOf(reportInput());
const refused = { Error: 'Lambda.AWSLambdaException', Cause: 'User: role is not authorized to perform: lambda:InvokeFunction' };

test('a call that Lambda refused wakes on-call, although the service is well, and names the action', () => {
  const ending = withUntold(recovered, refused);
  expect(ending).toMatchObject({ outcome: 'recovered', ok: true, page: true, headline: expect.stringMatching(/has recovered; nobody was told that it began$/) });
  expect(ending.reasons[0]).toEqual({ code: 'not-announced', text: 'nobody was told that it began: Lambda.AWSLambdaException: User: role is not authorized to perform: lambda:InvokeFunction' });
});

test('the page says that Ripcord has to be mended, and not that the service is sick', () => {
  const ending = withUntold(recovered, refused);
  const input = reportInput({ untold: refused });
  expect(endedSubject(input, ending)).toMatch(/^PAGE Ripcord: checkout has recovered, but nobody was told that it began/);
  expect(nextSteps(ending, input, machineArn)[0]).toMatch(/^YOU have to mend Ripcord/);
  const report = incidentReport({ input, ending, rows: [], head: genesis, endedAt: '2026-11-20T09:17:00.000Z' });
  expect(report).toContain('Mend what kept the announcement from being sent');
  expect(report).not.toContain('Bring the service to a state that is proven well');
});

test.each(['AccessDeniedException', 'Retryable', 'Lambda.Unknown', 'States.Timeout'])('what the function itself failed at to the last try (%s) wakes on-call too: no alarm counts it', (Error) => {
  const ending = withUntold(recovered, { Error, Cause: 'no' });
  expect(ending).toMatchObject({ page: true, headline: `${recovered.headline}; nobody was told that it began` });
  expect(ending.reasons[0]?.code).toBe('not-announced');
});

test.each([null, undefined])('an announcement that went out changes nothing (%s)', (untold) => {
  expect(withUntold(recovered, untold)).toBe(recovered);
});

test('what pages anyway keeps its headline', () => {
  const failed = endingOf(reportInput({ verified: null }));
  expect(failed.page).toBe(true);
  expect(withUntold(failed, refused)).toMatchObject({ page: true, headline: failed.headline });
});
