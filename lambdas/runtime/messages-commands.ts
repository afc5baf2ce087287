// The exact commands with which a person answers an approval, from a checkout or from CloudShell.
import { regionOf } from './messages-text.ts';

/** For a POSIX shell: an execution's name may hold a quote. */
const quoted = (text: string): string => (/^[A-Za-z0-9_.-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** Both sign with the caller's own credentials: who answers is verified, not typed. */
export function answerCommands({ rollbackId, url, machineArn }: { readonly rollbackId: string; readonly url: string; readonly machineArn: string }): string[] {
  const body = (answer: string): string => quoted(JSON.stringify({ rollback: rollbackId, answer, comment: '' }));
  const curl = (answer: string): string => [
    `curl -sS --aws-sigv4 "aws:amz:${regionOf(machineArn)}:lambda" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"`,
    `-H "x-amz-security-token: $AWS_SESSION_TOKEN" -H 'content-type: application/json'`,
    `-d ${body(answer)} ${quoted(url)}`,
  ].join(' ');
  return [
    'With the role of an approver, from a checkout of Ripcord:',
    `npx ripcord approve ${quoted(rollbackId)}`,
    `npx ripcord reject ${quoted(rollbackId)} --comment "why not"`,
    'or from CloudShell, first: eval "$(aws configure export-credentials --format env)"',
    curl('approve'),
    curl('reject'),
  ];
}
