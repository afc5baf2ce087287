// Reads the secrets that a journey names, from Secrets Manager.
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** A secret by reference: its ARN and, for a JSON secret, the key in it. */
export interface SecretReference {
  readonly arn: string;
  readonly key?: string | undefined;
}

export class Secrets {
  private readonly client: SecretsManagerClient;

  constructor(client: SecretsManagerClient) {
    this.client = client;
  }

  /**
   * Reads each secret once and picks its key.
   * @throws Error naming the secret, never its value, when it cannot be read or has no such key.
   */
  async read(references: Readonly<Record<string, SecretReference>>): Promise<Map<string, string>> {
    const arns = [...new Set(Object.values(references).map((reference) => reference.arn))];
    const texts = new Map(await Promise.all(arns.map(async (arn) => [arn, await this.text(arn)] as const)));
    return new Map(Object.entries(references).map(([name, { arn, key }]) => {
      const text = texts.get(arn) ?? '';
      return [name, key === undefined ? text : pick(text, key, arn)];
    }));
  }

  private async text(arn: string): Promise<string> {
    const answer = await this.client.send(new GetSecretValueCommand({ SecretId: arn }));
    if (answer.SecretString === undefined) throw new Error(`secret ${arn} holds bytes, not text`);
    return answer.SecretString;
  }
}

function pick(text: string, key: string, arn: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which is the secret.
    throw new Error(`secret ${arn} is not JSON, so it has no key "${key}"`);
  }
  const value: unknown = parsed !== null && typeof parsed === 'object' && Object.hasOwn(parsed, key) ? (parsed as Record<string, unknown>)[key] : undefined;
  if (typeof value !== 'string' && typeof value !== 'number') throw new Error(`secret ${arn} has no text under the key "${key}"`);
  return String(value);
}
