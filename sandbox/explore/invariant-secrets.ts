// No secret stands in any log, row, message, event or execution history.
import { secretsOfKey } from '../aws/iam.ts';
import type { Run } from './invariants.ts';
import { sessionOf } from './scenarios.ts';

interface Place {
  readonly where: string;
  readonly text: string;
}

/** Task tokens and approvals may stand where they have to: in the waiting task's history, and in the ledger's own row for them. */
const isTokensPlace = ({ where }: Place): boolean => where === 'history' || where === 'ledger APPROVAL';

export function leaked(run: Run): string[] {
  const places = placesOf(run);
  const { world } = run;
  const keys = [...new Set(world.sandbox.calls.list().flatMap(({ caller }) => ('accessKeyId' in caller && caller.accessKeyId !== '' ? [caller.accessKeyId] : [])))];
  const secrets = [
    ...spellingsOf(world.secret).map((value) => ({ name: 'the journey\'s secret', value })),
    ...spellingsOf(sessionOf(world.secret)).map((value) => ({ name: 'what the journey carries', value })),
    ...keys.flatMap((key) => Object.entries(secretsOfKey(key)).map(([name, value]) => ({ name: `${name} of a function`, value }))),
  ];
  const tokens = [...new Set(run.ledger.flatMap((row) => (row['taskToken'] === undefined ? [] : [row['taskToken']])))];
  return [
    ...places.flatMap(({ where, text }) => secrets.filter(({ value }) => text.includes(value)).map(({ name }) => `secret: ${name} stands in ${where}`)),
    ...places.filter((place) => !isTokensPlace(place)).flatMap(({ where, text }) => (tokens.some((token) => text.includes(token)) ? [`secret: a task token stands in ${where}`] : [])),
  ];
}

/** Nor as part of a header, or of an address. */
const spellingsOf = (secret: string): readonly string[] => [...new Set([secret, Buffer.from(secret).toString('base64').replace(/=+$/, ''), encodeURIComponent(secret)])];

function placesOf({ world, records, ledger }: Run): readonly Place[] {
  const { services, inbox } = world.sandbox;
  return [
    ...services.functions.list().map(({ spec, log }) => ({ where: `the log of ${spec.name}`, text: log.lines.join('\n') })),
    ...records.flatMap(({ rows }) => rows.map(({ kind, data }) => ({ where: `audit ${kind}`, text: data }))),
    ...ledger.map((row) => ({ where: `ledger ${(row['sk'] ?? '').split('#')[0]}`, text: JSON.stringify(row) })),
    { where: 'a message', text: JSON.stringify(inbox) },
    // What EventBridge could not deliver, and what the Watchdog and Label failed at.
    ...services.queues.names.map((name) => ({ where: `queue ${name}`, text: JSON.stringify(services.queues.peek(name)) })),
    { where: 'an event', text: JSON.stringify(services.events.events) },
    ...services.states.executions().map(({ history }) => ({ where: 'history', text: JSON.stringify(history.events) })),
  ];
}
