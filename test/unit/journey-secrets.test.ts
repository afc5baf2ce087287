// Secrets of journeys: read once each, picked by key, and never quoted in an error.
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { Secrets } from '../../lambdas/adapters/secrets.ts';

function secretsOf(texts: Readonly<Record<string, string | undefined>>): { readonly secrets: Secrets; readonly calls: string[] } {
  const calls: string[] = [];
  const client = new SecretsManagerClient({ region: 'eu-west-1' });
  client.send = (async ({ input }: { input: { SecretId: string } }) => {
    calls.push(input.SecretId);
    return { SecretString: texts[input.SecretId] };
  }) as typeof client.send;
  return { secrets: new Secrets(client), calls };
}

describe('Secrets', () => {
  it('reads each secret once, whole or by its key', async () => {
    const { secrets, calls } = secretsOf({ a: '{"user":"shop","pin":42}', b: 'plain' });
    expect([...await secrets.read({ user: { arn: 'a', key: 'user' }, pin: { arn: 'a', key: 'pin' }, all: { arn: 'b' } })]).toEqual([['user', 'shop'], ['pin', '42'], ['all', 'plain']]);
    expect(calls).toEqual(['a', 'b']);
  });

  it.each<[string, string | undefined, string, RegExp]>([
    ['is not JSON', 'hunter2', 'user', /secret a is not JSON, so it has no key "user"/],
    ['has no such key', '{"other":"hunter2"}', 'user', /has no text under the key "user"/],
    ['has only an inherited key', '{"other":"hunter2"}', 'constructor', /has no text under the key "constructor"/],
    ['holds bytes', undefined, 'user', /holds bytes, not text/],
  ])('says that a secret %s, without quoting it', async (_, text, key, message) => {
    const failure = await secretsOf({ a: text }).secrets.read({ one: { arn: 'a', key } }).then(() => null, (error: unknown) => error as Error);
    expect(failure?.message).toMatch(message);
    expect(`${failure?.message} ${String(failure?.cause)}`).not.toContain('hunter2');
  });
});
