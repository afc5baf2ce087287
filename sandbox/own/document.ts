// A user's services.yaml as data: the fields that a rehearsal needs, with the defaults that the file may leave out, and where each line is.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { isCollection, isMap, isPair, isScalar, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import type { Json } from './json-body.ts';
import type { MetricEntry } from './service-metrics.ts';

type Good = 'last-known-good' | { readonly side: string };

export interface AlbTarget {
  readonly strategy: 'alb-weights';
  readonly listenerArn: string;
  readonly ruleArn?: string;
  readonly targetGroups: Readonly<Record<string, string>>;
  readonly good: Good;
  readonly minimumHealthyTargets?: number;
}

export interface DnsTarget {
  readonly strategy: 'route53-weights';
  readonly hostedZoneId: string;
  readonly recordName: string;
  readonly recordType: 'A' | 'AAAA' | 'CNAME';
  readonly records: Readonly<Record<string, string>>;
  readonly good: Good;
}

interface DeployTarget {
  readonly strategy: 'codedeploy';
  readonly application: string;
  readonly deploymentGroup: string;
  readonly deploymentConfig?: string;
}
export type ServerTarget = DeployTarget & { readonly platform: 'Server' };
export type LambdaTarget = DeployTarget & { readonly platform: 'Lambda'; readonly functionName: string; readonly alias: string };
export type EcsTarget = DeployTarget & { readonly platform: 'ECS'; readonly cluster: string; readonly service: string };
export type CodeDeployTarget = ServerTarget | LambdaTarget | EcsTarget;

export interface ParameterTarget {
  readonly strategy: 'ssm-parameter';
  readonly parameter: string;
  readonly good: 'last-known-good' | { readonly value: string };
  readonly takesEffectSeconds?: number;
}

export interface AliasTarget {
  readonly strategy: 'lambda-alias';
  readonly functionName: string;
  readonly alias: string;
}

export interface TasksTarget {
  readonly strategy: 'ecs-service';
  readonly cluster: string;
  readonly service: string;
}

export type Target = AlbTarget | DnsTarget | CodeDeployTarget | ParameterTarget | AliasTarget | TasksTarget;

export interface JourneyRequest {
  readonly name: string;
  readonly method?: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly expect?: {
    readonly status?: number | readonly number[];
    readonly latencyMs?: number;
    readonly json?: readonly ({ readonly path: string; readonly equals: Json } | { readonly path: string; readonly exists: boolean })[];
    readonly text?: readonly string[];
    readonly header?: Readonly<Record<string, string>>;
  };
  readonly carry?: Readonly<Record<string, string>>;
}

export interface Journey {
  readonly requests: readonly JourneyRequest[];
  readonly secrets?: Readonly<Record<string, { readonly arn: string; readonly key?: string }>>;
  readonly allowHosts?: readonly string[];
  readonly allowLoopback?: readonly string[];
}

export interface Metric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions?: Readonly<Record<string, string>>;
  readonly statistic?: 'Sum' | 'Average' | 'Maximum' | 'Minimum' | 'SampleCount';
}

export interface Service {
  readonly targets: Readonly<Record<string, Target>>;
  readonly rungs?: readonly (readonly (readonly string[])[])[];
  readonly signals: {
    readonly alarms?: readonly { readonly name: string; readonly group?: string }[];
    readonly external?: readonly string[];
    /** Judged against their own past: one more signal. */
    readonly metrics?: readonly MetricEntry[];
    /** Metrics that a release of this service cannot change. */
    readonly controls?: readonly MetricEntry[];
    /** What users are promised: the stack makes alarms of it. */
    readonly slo?: { readonly availability?: number; readonly latency?: Readonly<Record<string, number>>; readonly minimumRequests?: number };
    readonly minimum?: number;
    readonly holdSeconds?: number;
    readonly traffic: { readonly none: string } | { readonly metric: Metric; readonly minimumRequests?: number; readonly minutes?: number };
  };
  readonly journeys?: Readonly<Record<string, Journey>>;
  /** Other services of the configuration. */
  readonly dependencies?: readonly unknown[];
  readonly verification: { readonly none: string } | { readonly passesInARow?: number; readonly intervalSeconds?: number; readonly deadlineMinutes?: number };
  readonly policy: {
    readonly approval: { readonly none: string } | { readonly required: 'always' | 'manual-only'; readonly timeoutMinutes: number; readonly onDeadline: string };
    readonly bakeMinutes?: number;
  };
}

export interface Config {
  readonly engine?: { readonly approvers?: readonly string[] };
  readonly services: Readonly<Record<string, Service>>;
}

export type Where = readonly (string | number)[];

/** A configuration that was checked before, and the file that it stands in. */
export class OwnDocument {
  readonly config: Config;
  readonly #file: string;
  readonly #document: Document;
  readonly #lines: LineCounter;

  private constructor(file: string, document: Document, lines: LineCounter) {
    this.#file = file;
    this.#document = document;
    this.#lines = lines;
    this.config = document.toJS() as Config;
  }

  static async read(file: string): Promise<OwnDocument> {
    const lines = new LineCounter();
    return new OwnDocument(path.basename(file), parseDocument(await readFile(file, 'utf8'), { lineCounter: lines, prettyErrors: false }), lines);
  }

  /** `services.yaml:14 services.checkout.policy`; the line of the nearest parent where the key is left out. */
  at(where: Where): string {
    const found = where.map((_, index) => this.#offset(where.slice(0, where.length - index))).find((offset) => offset !== undefined);
    return `${this.#file}:${found === undefined ? 1 : this.#lines.linePos(found).line} ${where.join('.')}`;
  }

  #offset(where: Where): number | undefined {
    const parent = where.length === 1 ? this.#document.contents : this.#document.getIn(where.slice(0, -1), true);
    const key = where.at(-1);
    if (isMap(parent)) {
      const pair = parent.items.find((one) => isPair(one) && isScalar(one.key) && one.key.value === key);
      return isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
    }
    return isCollection(parent) ? (parent.items[Number(key)] as Node | undefined)?.range?.[0] : undefined;
  }
}

/** Where a strategy's rung stands when the service names none: flags, traffic, aliases, then redeploys, then DNS. */
const order: Readonly<Record<Target['strategy'], number>> = { 'ssm-parameter': 5, 'alb-weights': 10, 'lambda-alias': 20, codedeploy: 40, 'ecs-service': 42, 'route53-weights': 50 };

/** The ways back, each a list of waves of target ids. */
export function rungsOf({ rungs, targets }: Service): readonly (readonly (readonly string[])[])[] {
  if (rungs !== undefined) return rungs;
  const strategies = [...new Set(Object.values(targets).map(({ strategy }) => strategy))].toSorted((a, b) => order[a] - order[b]);
  return strategies.map((strategy) => [Object.entries(targets).filter(([, target]) => target.strategy === strategy).map(([id]) => id).toSorted()]);
}
