// When a service counts as recovered: every journey N times in a row, every alarm OK, every target live as planned; nothing less.
import { describe, expect, it } from 'vitest';
import type { AlarmReading } from '../../lambdas/domain/readings.ts';
import type { StepConfirmed, Verified, VerifyInput } from '../../lambdas/domain/workflow.ts';
import type { Measured } from '../../lambdas/domain/metrics.ts';
import { judgeRound, type RoundQuestion } from '../../lambdas/domain/proof.ts';
import { serviceSchema } from '../../lambdas/config/schema.ts';
import { serviceInput } from './assess-rig.ts';
import { measured, reading as madeReading, since } from './domain/metric-samples.ts';
import { minute } from './domain/samples.ts';
import { alarm, codes, failed, live, passed, proofInput, prove, tables, useTables, type World } from './verify-rig.ts';

useTables();

describe('proof', () => {
  it('is given when journeys, alarms and live state agree for the last time needed', async () => {
    const verified = await prove(proofInput());
    expect(verified).toMatchObject({ answer: 'recovered', passes: 3, round: 5, waitSeconds: 0 });
    expect(codes(verified)).toEqual(['journeys-passed', 'alarms-ok', 'live-as-planned']);
  });

  it('takes as many passes in a row as the service asks for', async () => {
    const verified = await prove(proofInput({ passes: 1 }));
    expect(verified).toMatchObject({ answer: 'not-yet', passes: 2, waitSeconds: 20 });
    expect(codes(verified)).toEqual(['too-few-passes']);
  });

  it('is not given on an alarm that CloudWatch could not evaluate, whatever its last state', async () => {
    const verified = await prove(proofInput(), { alarms: [{ ...alarm('5xx', 'OK'), evaluationState: 'EVALUATION_FAILURE' }] });
    expect(verified.answer).toBe('not-yet');
    expect(codes(verified)).toEqual(['alarm-no-data']);
  });

  it('is not given on the live state alone: without journeys, alarms and metrics nothing outside the plan was asked', async () => {
    const verified = await prove(proofInput(), { results: [], alarms: [] });
    expect(verified.answer).toBe('not-yet');
    expect(codes(verified)).toEqual(['nothing-to-prove-it']);
  });

  it('begins to count again after one journey failed', async () => {
    const verified = await prove(proofInput({ passes: 2 }), { results: [passed, failed] });
    expect(verified).toMatchObject({ answer: 'not-yet', passes: 0 });
    expect(verified.reasons[0]).toEqual({ code: 'journey-failed', text: 'Journey buy, request pay: answered 503' });
  });

  it('is not given by a journey that could not be run', async () => {
    const verified = await prove(proofInput({ passes: 8 }), { results: [{ ...failed, couldNotRun: true }] });
    expect(verified).toMatchObject({ answer: 'not-yet', passes: 0 });
    expect(codes(verified)).toContain('journey-not-run');
  });

  it.each<[AlarmReading['state'], string]>([['ALARM', 'alarm-firing'], ['INSUFFICIENT_DATA', 'alarm-no-data'], ['missing', 'alarm-no-data']])('waits while an alarm is %s', async (state, code) => {
    const verified = await prove(proofInput({ passes: 8 }), { alarms: [alarm('5xx', 'OK'), alarm('latency', state)] });
    expect(verified.answer).toBe('not-yet');
    expect(codes(verified)).toEqual([code]);
  });

  it('reports an alarm that fired before the release, and does not wait for it', async () => {
    const verified = await prove(proofInput({ alarmsAtStart: ['disk'] }), { alarms: [alarm('5xx', 'OK'), alarm('disk', 'ALARM')] });
    expect(verified.answer).toBe('recovered');
    expect(codes(verified)).toContain('alarm-older-than-release');
  });

  it('still waits for such an alarm when it has no data', async () => {
    expect(await prove(proofInput({ alarmsAtStart: ['disk'] }), { alarms: [alarm('disk', 'INSUFFICIENT_DATA')] })).toMatchObject({ answer: 'not-yet' });
  });

  it.each<StepConfirmed['answer']>(['not-yet', 'failed', 'cannot-verify'])('waits while a target answers %s', async (answer) => {
    const verified = await prove(proofInput({ passes: 8, live: [live('yes'), live(answer)] }));
    expect(verified.answer).toBe('not-yet');
    expect(codes(verified)).toEqual([`live-${answer}`]);
  });

  it('is not given when no target says anything', async () => {
    const verified = await prove(proofInput({ passes: 8, live: [] }));
    expect(verified.answer).toBe('not-yet');
    expect(codes(verified)).toEqual(['live-unknown']);
  });

  it('ends at once when somebody else changed a target, with that reason first', async () => {
    const verified = await prove(proofInput({ passes: 8, live: [live('yes'), live('changed-by-someone-else')] }));
    expect(verified.answer).toBe('still-bad');
    expect(codes(verified)[0]).toBe('changed-by-someone-else');
  });

  it('ends at once when another rollback has the lock', async () => {
    expect(await prove(proofInput({ passes: 8 }), { isLeaseHeld: false })).toMatchObject({ answer: 'still-bad', reasons: [{ code: 'lock-lost' }] });
  });

  it('says what is missing when the deadline has passed', async () => {
    const verified = await prove(proofInput({ since: '2026-11-20T09:07:00.000Z' }), { results: [failed], alarms: [alarm('5xx', 'ALARM')] });
    expect(verified.answer).toBe('still-bad');
    expect(codes(verified)).toEqual(['deadline', 'journey-failed', 'too-few-passes', 'alarm-firing']);
  });

  it('is still given in the round of the deadline', async () => {
    expect(await prove(proofInput({ since: '2026-11-20T09:00:00.000Z' }))).toMatchObject({ answer: 'recovered' });
  });

  it('says when a service has no journeys, by its own choice', async () => {
    const verified = await prove(proofInput(), { results: [] });
    expect(verified.answer).toBe('recovered');
    expect(codes(verified)).toContain('no-journeys');
  });

  it('needs the metrics back at what they were before the release, where the service has them', async () => {
    const input = { releaseStartedAt: minute(-20), since: minute(2), verification: { intervalSeconds: 20, passesInARow: 3, deadlineSeconds: 1200 } };
    const healthy = await prove(proofInput(input), { metrics: madeReading() });
    expect(healthy.answer).toBe('recovered');
    expect(codes(healthy)).toContain('metrics-recovered');
    expect(codes(await prove(proofInput(input), { metrics: madeReading({ errors: since(-8, 0.3), until: 9 }) }))).toEqual(['metrics-not-yet']);
    expect((await prove(proofInput(input), { metrics: madeReading(), results: [], alarms: [] })).answer).toBe('recovered');
    expect(codes(await prove(proofInput(input), { metrics: { status: 'unknown', why: 'denied' } }))).toEqual(['metrics-unknown']);
  });

  it('ends at once, with that reason first, when nothing of the harm has gone eight minutes after the change, within the deadline that a service has by default', async () => {
    const { verification: given } = serviceSchema.parse({ ...serviceInput, verification: {} });
    if ('none' in given) throw new Error('the sample has no verification');
    const verification = { intervalSeconds: given.intervalSeconds, passesInARow: given.passesInARow, deadlineSeconds: given.deadlineMinutes * 60 };
    const input = { releaseStartedAt: minute(-20), since: minute(7), verification };
    const harmed = { errors: since(-12, 0.3) };
    expect(await prove(proofInput(input), { metrics: madeReading({ ...harmed, until: 14 }) })).toMatchObject({ answer: 'not-yet', waitSeconds: 20 });
    const verified = await prove(proofInput(input), { metrics: madeReading({ ...harmed, until: 15 }) });
    expect(verified).toMatchObject({ answer: 'still-bad', waitSeconds: 0 });
    expect(codes(verified)).toEqual(['metrics-still-bad']);
    // What nobody can read says nothing of this way back: the deadline decides.
    const unreadable = madeReading({ ...harmed, until: 16, requests: (m) => (m >= 7 ? null : 1000) });
    expect(await prove(proofInput(input), { metrics: unreadable })).toMatchObject({ answer: 'not-yet', reasons: [{ code: 'metrics-not-yet' }] });
  });

  it('needs lost traffic back where the service has controls that it does not call itself, and half of it in any case', async () => {
    const input = { releaseStartedAt: minute(-20), since: minute(-14), verification: { intervalSeconds: 20, passesInARow: 3, deadlineSeconds: 7200 } };
    const left = (level: number) => madeReading({ requests: since(-18, level, 1000), until: -7 });
    const control = { kind: 'lambda' as const, functionName: 'cart', percentile: 'p99' as const };
    const answer = async (controls?: World['controls'], level = 550) => (await prove(proofInput(input), { metrics: left(level), controls })).answer;
    expect([await answer(), await answer([], 200)]).toEqual(['recovered', 'not-yet']);
    expect(await answer([{ ...control, calls: true }])).toBe('recovered');
    expect(await answer([control])).toBe('not-yet');
  });

  describe('given up in vain', () => {
    const input = { releaseStartedAt: minute(-20), since: minute(-14), verification: { intervalSeconds: 20, passesInARow: 3, deadlineSeconds: 7200 } };
    const names = ['cart', 'pay'];
    const controls = names.map((functionName) => ({ kind: 'lambda' as const, functionName, percentile: 'p99' as const }));
    const sick = { errors: since(-18, 0.3), until: -4 };
    const beside = (own: object): Measured[] => names.map((name) => measured(name, { until: -4, ...own }));
    const given = async (world: World, over: Partial<VerifyInput> = {}) => {
      const asked = { controls: 0 };
      return { verified: await prove(proofInput({ ...input, ...over }), { metrics: madeReading(sick), controls, asked, ...world }), ...asked };
    };

    const sickBeside = { beside: beside({ errors: since(-17, 0.3) }) };
    const late = { verification: { ...input.verification, deadlineSeconds: 900 } };
    const outcome = ({ verified: { answer, triesNoMore } }: { readonly verified: Verified }) => [answer, triesNoMore];

    it('is not before the deadline where the controls share what is left of the harm, which they are named for', async () => {
      const { verified, controls: reads } = await given(sickBeside);
      expect(verified).toMatchObject({ answer: 'not-yet', waitSeconds: 20 });
      expect(codes(verified)).toEqual(['metrics-still-bad', 'metrics-shared']);
      expect(verified.reasons[1]?.text).toBe("What is left of the harm in error rate is not this release's alone: cart, pay got worse there as well. Look at what they share.");
      expect(reads).toBe(1);
    });

    it('leads to no other way back at the deadline where all that is left is shared, with what comes of it, but where anything else is open', async () => {
      const ill = { results: [failed], alarms: [alarm('5xx', 'ALARM')] };
      const { verified } = await given({ ...sickBeside, ...ill }, late);
      expect(verified).toMatchObject({ answer: 'still-bad', triesNoMore: true });
      expect(codes(verified)).toEqual(['deadline', 'journey-failed', 'too-few-passes', 'alarm-firing', 'metrics-still-bad', 'metrics-shared']);
      for (const world of [{ beside: beside({}) }, { beside: null }, { ...sickBeside, alarms: [alarm('5xx', 'INSUFFICIENT_DATA')] }])
        expect(outcome(await given(world, late))).toEqual(['still-bad', undefined]);
      expect(outcome(await given(sickBeside, { ...late, live: [live('failed')] }))).toEqual(['still-bad', undefined]);
    });

    describe('for a fall of traffic', () => {
      const falls = since(-18, 500, 1000);
      const mended = { requests: falls, errors: (m: number) => (m >= -19 && m < -14 ? 0.3 : 0), until: 3 };
      const fallen = (own: object, over: Partial<VerifyInput> = {}, world: World = {}) => given({ metrics: madeReading({ ...mended, ...own }), ...world }, over);
      const beside3 = (own: object): { beside: Measured[] } => ({ beside: names.map((name) => measured(name, { until: 3, ...own })) });

      it('ends nothing before the deadline, whoever shares it', async () => {
        for (const world of [beside3({ requests: falls }), beside3({}), { beside: null }]) {
          const { verified, controls: reads } = await fallen({}, {}, world);
          expect([verified.answer, codes(verified), reads]).toEqual(['not-yet', ['metrics-not-yet'], 0]);
        }
      });

      it('calls a person at the deadline where the controls share it or nobody could read them, and leads to the next way back where they kept theirs', async () => {
        const shared = (await fallen({}, late, beside3({ requests: falls }))).verified;
        expect(shared).toMatchObject({ answer: 'still-bad', triesNoMore: true });
        expect(codes(shared)).toEqual(['deadline', 'metrics-not-yet', 'metrics-shared']);
        expect(shared.reasons[2]?.text).toMatch(/harm in traffic is not/);
        const unread = (await fallen({}, late, { beside: null })).verified;
        expect([unread.triesNoMore, codes(unread)]).toEqual([true, ['deadline', 'metrics-not-yet', 'controls-not-read']]);
        const alone = (await fallen({}, late, beside3({}))).verified;
        expect([alone.triesNoMore, codes(alone)]).toEqual([undefined, ['deadline', 'metrics-not-yet']]);
        // A failed journey is no consequence of fewer requests.
        expect((await fallen({}, late, { ...beside3({ requests: falls }), results: [failed] })).verified.triesNoMore).toBeUndefined();
      });

      it('excuses no errors that the release alone has: the controls are named for the traffic, and the way back is given up', async () => {
        const { verified } = await fallen({ errors: since(-19, 0.2) }, {}, beside3({ requests: falls }));
        expect(outcome({ verified })).toEqual(['still-bad', undefined]);
        expect(codes(verified)).toEqual(['metrics-still-bad', 'metrics-shared-in-part']);
        expect(verified.reasons[1]?.text).toBe("What is left of the harm in traffic is not this release's alone: cart, pay got worse there as well. That in error rate is not shared. Look at what they share.");
      });
    });

    it('says so at the deadline too, and of what the service calls', async () => {
      const noneBack = madeReading({ errors: (m) => (m >= -18 ? (m < -14 ? 0.3 : 0.12) : 0), until: -4 });
      const calls = controls.map((one) => ({ ...one, calls: true as const }));
      const { verified } = await given({ metrics: noneBack, controls: calls, beside: beside({ errors: since(-17, 0.3) }).map((one) => ({ ...one, calls: true as const })) }, late);
      expect(codes(verified)).toEqual(['deadline', 'metrics-not-yet', 'metrics-shared']);
    });

    it('names nobody where the controls are well, and keeps the round as it was where they cannot be read', async () => {
      expect(codes((await given({ beside: beside({}) })).verified)).toEqual(['metrics-still-bad']);
      expect(codes((await given({ beside: null })).verified)).toEqual(['metrics-still-bad']);
      expect((await given({ controls: undefined })).controls).toBe(0);
    });

    it('reads no controls in a round that goes on, that proves it, or that ends for another reason', async () => {
      const shared = { beside: beside({ errors: since(-17, 0.3) }) };
      expect((await given({ ...shared, metrics: madeReading({ ...sick, until: -8 }) }))).toMatchObject({ verified: { answer: 'not-yet' }, controls: 0 });
      expect((await given({ ...shared, metrics: madeReading({ until: -4 }) }))).toMatchObject({ verified: { answer: 'recovered' }, controls: 0 });
      expect((await given({ ...shared, metrics: madeReading({ until: -4 }), isLeaseHeld: false }))).toMatchObject({ verified: { answer: 'still-bad' }, controls: 0 });
    });

    it('can be given up again from its record', async () => {
      const proof = proofInput(input);
      const said = await prove(proof, { metrics: madeReading(sick), controls, beside: beside({ errors: since(-17, 0.3) }) });
      const [row] = await tables.audit.read(proof.rollbackId);
      const { answer, reasons } = judgeRound((JSON.parse(row?.data ?? '') as { readonly question: RoundQuestion }).question);
      expect({ answer, reasons }).toEqual({ answer: said.answer, reasons: said.reasons });
    });
  });

  it('is refused without a deadline', async () => {
    await expect(prove(proofInput({ verification: null }))).rejects.toThrow(/without them there is no end/);
    await expect(prove(proofInput({ since: null }))).rejects.toThrow(/without them there is no end/);
  });
});
