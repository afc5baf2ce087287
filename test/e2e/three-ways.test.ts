// A flag, an alias and an ECS service go back end to end: a dry run changes nothing, a rollback does, and what a person changed meanwhile stays.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AuditRows } from '../../lambdas/adapters/audit-rows.ts';
import { verifyChain } from '../../lambdas/audit/chain.ts';
import { Rig } from './rig.ts';
import { aliasTarget, clusterOf, flagTarget, tasksTarget } from './small-services.ts';

const ways = {
  flag: { target: flagTarget(), change: 'PutParameter', summary: '/flags/flag "on" → "off"' },
  switch: { target: flagTarget({ value: 'off' }), change: 'PutParameter', summary: '/flags/switch "on" → "off"' },
  mailer: { target: aliasTarget, change: 'UpdateAlias', summary: 'version 2 → version 1' },
  tasks: { target: tasksTarget, change: 'UpdateService', summary: 'deploy tasks:1 in place of tasks:2; the number of tasks stays' },
} as const;

let rig: Rig;

/** What a person does to a released target, which is neither the release nor the way back. */
const persons: Readonly<Record<string, () => void>> = {
  'flag-touched': () => void rig.sandbox.services.parameters.put({ name: '/flags/flag-touched', value: 'half', overwrite: true, by: 'arn:aws:iam::111122223333:user/dana' }),
  'mailer-touched': () => {
    const { aliases } = rig.sandbox.services;
    aliases.updateAlias('mailer-touched', 'live', { FunctionVersion: aliases.publishVersion('mailer-touched', 'by hand').version });
  },
  'tasks-touched': () => {
    const { ecs, rolling } = clusterOf(rig.sandbox);
    const service = rolling.find('prod', 'tasks-touched');
    if (service !== undefined) rolling.update(service, ecs.registerTaskDefinition('tasks-touched', 'by-hand:1').arn);
  },
};

/** As a person reads it. */
async function chainOf(rollbackId: string): ReturnType<AuditRows['read']> {
  const client = new DynamoDBClient({ endpoint: rig.sandbox.endpoint, region: 'eu-west-1', credentials: { accessKeyId: 'me', secretAccessKey: 'anything' } });
  try {
    return await new AuditRows(client, rig.ripcord.names.auditTable).read(rollbackId);
  } finally {
    client.destroy();
  }
}

beforeAll(async () => {
  const touched = { 'flag-touched': { target: flagTarget() }, 'mailer-touched': { target: aliasTarget }, 'tasks-touched': { target: tasksTarget } };
  rig = await Rig.start({ services: { ...ways, ...touched } });
  await rig.release();
});
afterAll(() => rig.stop());

describe.each(Object.entries(ways))('%s', (name, { change, summary }) => {
  test('a dry run shows the step and changes nothing', async () => {
    const run = await rig.endOf(rig.ask({ service: name, reason: 'does it find its way?', requestedBy: 'dana', mode: 'dry-run' }));
    expect(run.outcome, run.headline).toBe('dry-run');
    const rows = await rig.audit(run.rollbackId);
    expect(rows.find(({ kind }) => kind === 'planned')?.data).toMatchObject({ outcome: 'change', summary, effect: { downtime: 'none' } });
    expect(rows.find(({ kind }) => kind === 'reported')?.data['plan']).toEqual(expect.arrayContaining([expect.stringMatching(/^Choice: .*, by itself\.$/), expect.stringMatching(/Risk: .* until users are safe.* Users notice nothing \(it: /), expect.stringMatching(/^1\. it .*about/)]));
    expect([rig.targets[name]?.live(), rig.changes(name)]).toEqual(['green', []]);
  });

  test('goes back with one write, and its chain is intact', async () => {
    rig.fire(name);
    await rig.until(`a run of ${name} acts`, () => rig.runs(name).some(({ outcome }) => outcome !== 'dry-run'));
    await rig.until(`the rollback of ${name} has ended`, () => rig.runs(name).every(({ status }) => status !== 'RUNNING'));
    const run = rig.runs(name).find(({ outcome }) => outcome !== 'dry-run');
    expect(run?.outcome, run?.headline).toBe('recovered');
    expect([rig.targets[name]?.live(), rig.changes(name)]).toEqual(['blue', [change]]);
    const rows = await chainOf(run?.rollbackId ?? '');
    expect(rows.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['assessed', 'change-intended', 'change-made', 'confirmed', 'verified', 'reported']));
    expect(verifyChain(rows)).toMatchObject({ intact: true, isSealed: true });
  });
});

test.each(Object.keys(persons))('%s: what a person changed since the release stays', async (name) => {
  persons[name]?.();
  rig.fire(name);
  const run = await rig.ended(name);
  expect(run.outcome, run.headline).toBe('stopped');
  expect([rig.targets[name]?.live(), rig.changes(name)]).toEqual(['mixed', []]);
  rig.calm(name);
});

test('no role was refused anything, and no rule of the world was broken', () => {
  expect(rig.denials()).toEqual([]);
  expect(rig.sandbox.breaches).toEqual([]);
});
