// Where an approval is answered: the function URL, kept in Parameter Store because it is known only once the function exists.
import { GetParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';

/** @throws Error when the parameter holds no https URL: nobody is sent to an unknown place with signed credentials. */
export async function readApprovalUrl(client: SSMClient, name: string): Promise<string> {
  const { Parameter } = await client.send(new GetParameterCommand({ Name: name }));
  const url = Parameter?.Value ?? '';
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) throw new Error(`parameter ${name} holds no URL where an approval could be answered`);
  return url;
}
