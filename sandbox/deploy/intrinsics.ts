// CloudFormation's intrinsic functions, pseudo parameters and dynamic references, resolved against what is deployed so far.
import type { Place } from '../aws/world.ts';
import type { Template } from './assembly.ts';

/** What a created resource answers to Ref and Fn::GetAtt. */
export interface Created {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Scope {
  readonly place: Place;
  readonly stackName: string;
  readonly stackId: string;
  readonly template: Template;
  readonly created: Pick<ReadonlyMap<string, Created>, 'get'>;
  readonly exports: Pick<ReadonlyMap<string, unknown>, 'has' | 'get'>;
  /** Value of an SSM parameter or a secret, for dynamic references and parameters of SSM types. */
  readonly lookUp: (service: 'ssm' | 'secretsmanager', reference: string) => string;
}

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
/** Ref to AWS::NoValue: the property is left out. */
const noValue = Symbol('AWS::NoValue');

/** @throws Error naming the reference or function that cannot be resolved. */
export function resolve(value: unknown, scope: Scope): unknown {
  const resolved = walk(value, scope);
  return resolved === noValue ? undefined : resolved;
}

function walk(value: unknown, scope: Scope): unknown {
  if (typeof value === 'string') return dynamic(value, scope);
  if (Array.isArray(value)) return value.map((one) => walk(one, scope)).filter((one) => one !== noValue);
  if (!isObject(value)) return value;
  const keys = Object.keys(value);
  const [only = ''] = keys;
  if (keys.length === 1 && (only === 'Ref' || only === 'Condition' && typeof value[only] === 'string' && scope.template.Conditions?.[value[only]] !== undefined || only.startsWith('Fn::')))
    return call(only, value[only], scope);
  return Object.fromEntries(keys.map((key) => [key, walk(value[key], scope)] as const).filter(([, one]) => one !== noValue));
}

function call(name: string, argument: unknown, scope: Scope): unknown {
  const list = (): unknown[] => {
    const resolved = walk(argument, scope);
    if (!Array.isArray(resolved)) throw new Error(`${name} needs a list`);
    return resolved;
  };
  switch (name) {
    case 'Ref':
      return ref(String(argument), scope);
    case 'Condition':
      return condition(String(argument), scope);
    case 'Fn::GetAtt':
      return attribute(argument, scope);
    case 'Fn::Sub':
      return substitute(argument, scope);
    case 'Fn::If': {
      const [which, yes, no] = argument as [string, unknown, unknown];
      return walk(condition(which, scope) ? yes : no, scope);
    }
    case 'Fn::ImportValue':
      return imported(walk(argument, scope), scope);
    default:
      return callOnList(name, list, scope);
  }
}

function callOnList(name: string, list: () => unknown[], scope: Scope): unknown {
  switch (name) {
    case 'Fn::Join': {
      const [glue, parts] = list() as [string, unknown[]];
      return dynamic(parts.map(String).join(glue), scope);
    }
    case 'Fn::Select': {
      const [index, from] = list() as [number | string, unknown[]];
      const picked = from[Number(index)];
      if (picked === undefined) throw new Error(`Fn::Select: there is no element ${index}`);
      return picked;
    }
    case 'Fn::Split': {
      const [glue, text] = list() as [string, string];
      return text.split(glue);
    }
    case 'Fn::FindInMap': {
      const [map = '', first = '', second = ''] = list() as string[];
      const found = scope.template.Mappings?.[map]?.[first]?.[second];
      if (found === undefined) throw new Error(`Fn::FindInMap: no ${map}.${first}.${second}`);
      return found;
    }
    case 'Fn::Equals': {
      const [left, right] = list();
      return JSON.stringify(left) === JSON.stringify(right);
    }
    case 'Fn::And':
      return list().every((one) => one === true);
    case 'Fn::Or':
      return list().some((one) => one === true);
    case 'Fn::Not':
      return list()[0] !== true;
    default:
      throw new Error(`${name} is not supported`);
  }
}

function pseudo(name: string, { place, stackName, stackId }: Scope): unknown {
  const values: Record<string, unknown> = {
    'AWS::AccountId': place.account,
    'AWS::Region': place.region,
    'AWS::Partition': place.partition,
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': stackName,
    'AWS::StackId': stackId,
    'AWS::NotificationARNs': [],
    'AWS::NoValue': noValue,
  };
  return values[name];
}

function ref(name: string, scope: Scope): unknown {
  if (name.startsWith('AWS::')) {
    const value = pseudo(name, scope);
    if (value === undefined) throw new Error(`Ref ${name} is not supported`);
    return value;
  }
  const parameter = scope.template.Parameters?.[name];
  if (parameter !== undefined) return parameterValue(name, parameter, scope);
  const created = scope.created.get(name);
  if (created === undefined) throw new Error(`Ref ${name}: no such resource or parameter`);
  return created.ref;
}

function parameterValue(name: string, parameter: { readonly Type: string; readonly Default?: unknown }, scope: Scope): unknown {
  if (parameter.Default === undefined) throw new Error(`parameter ${name} has no default`);
  const fallback = typeof parameter.Default === 'string' ? parameter.Default : JSON.stringify(parameter.Default);
  if (parameter.Type.startsWith('AWS::SSM::Parameter::Value')) return scope.lookUp('ssm', fallback);
  return parameter.Type === 'CommaDelimitedList' || parameter.Type.startsWith('List<') ? fallback.split(',') : parameter.Default;
}

function attribute(argument: unknown, scope: Scope): string {
  const [id = '', ...rest] = Array.isArray(argument) ? argument.map(String) : String(argument).split('.');
  const name = rest.join('.');
  const created = scope.created.get(id);
  if (created === undefined) throw new Error(`Fn::GetAtt ${id}.${name}: no such resource`);
  const value = created.attributes[name];
  if (value === undefined) throw new Error(`Fn::GetAtt ${id}.${name}: the sandbox does not have this attribute of ${scope.template.Resources[id]?.Type}`);
  return value;
}

function substitute(argument: unknown, scope: Scope): string {
  const [text, given] = Array.isArray(argument) ? (argument as [string, Json]) : [String(argument), {}];
  const own = walk(given ?? {}, scope) as Json;
  const filled = text.replace(/\$\{(!?)([^}]+)\}/g, (_found, literal: string, name: string) => {
    if (literal === '!') return `\${${name}}`;
    if (Object.hasOwn(own, name)) return String(own[name]);
    return String(name.includes('.') ? attribute(name, scope) : ref(name, scope));
  });
  return dynamic(filled, scope);
}

/** @throws Error for a condition that is not defined. */
export function condition(name: string, scope: Scope): boolean {
  const defined = scope.template.Conditions?.[name];
  if (defined === undefined) throw new Error(`condition ${name} is not defined`);
  return walk(defined, scope) === true;
}

function imported(name: unknown, { exports }: Scope): unknown {
  if (!exports.has(String(name))) throw new Error(`Fn::ImportValue: no stack exports ${String(name)}`);
  return exports.get(String(name));
}

function dynamic(text: string, scope: Scope): string {
  return text.replace(/\{\{resolve:([\w-]+):([^}]+)\}\}/g, (found, service: string, reference: string) => {
    if (service === 'ssm' || service === 'ssm-secure') return scope.lookUp('ssm', reference);
    if (service === 'secretsmanager') return scope.lookUp('secretsmanager', reference);
    throw new Error(`dynamic reference ${found} is not supported`);
  });
}
