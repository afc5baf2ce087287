// Who is told what: on-call is paged, everybody else gets the same news without the word that wakes people.
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { expect, test } from 'vitest';
import { Notices } from '../../../lambdas/adapters/notices.ts';

test('only on-call reads PAGE in a subject', async () => {
  const sent: { topic: string | undefined; subject: string | undefined }[] = [];
  const sns = { send: async ({ input }: PublishCommand) => void sent.push({ topic: input.TopicArn, subject: input.Subject }) } as unknown as SNSClient;
  const notices = new Notices({ sns, events: {} as EventBridgeClient }, { onCall: 'on-call', stakeholders: 'everybody' });
  await notices.send({ audience: ['on-call', 'stakeholders'], urgency: 'page', subject: 'PAGE Ripcord: checkout is not proven well', text: 'text', event: null });
  expect(sent).toEqual([
    { topic: 'on-call', subject: 'PAGE Ripcord: checkout is not proven well' },
    { topic: 'everybody', subject: 'Ripcord: checkout is not proven well' },
  ]);
});

test('a repeat tells only those who were not told, and says who could not be', async () => {
  const sent: (string | undefined)[] = [];
  const sns = { send: async ({ input }: PublishCommand) => {
    if (input.TopicArn === 'everybody') throw new Error('no such topic');
    sent.push(input.TopicArn);
  } } as unknown as SNSClient;
  const notices = new Notices({ sns, events: {} as EventBridgeClient }, { onCall: 'on-call', stakeholders: 'everybody' });
  const message = { audience: ['on-call', 'stakeholders'], urgency: 'notice', subject: 'news', text: 'text', event: null } as const;
  const first = await notices.send(message);
  expect(first).toMatchObject({ told: ['on-call'], failures: [new Error('no such topic')] });
  expect((await notices.send(message, first.told)).told).toEqual(['on-call']);
  expect(sent).toEqual(['on-call']);
});
