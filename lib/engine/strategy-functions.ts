// One function and one role for each strategy in use, made when the first service asks for it.
import { Construct } from 'constructs';
import { manifestOf } from '../../lambdas/strategies/registry.ts';
import { HandlerFunction, type HandlerFunctionProps } from './handler-function.ts';
import { strategyTimeoutSeconds } from './handler-timeouts.ts';
import type { StrategyArns } from './strategy-states.ts';

export interface StrategyFunctionsProps {
  readonly engineName: string;
  readonly environment: HandlerFunctionProps['environment'];
  /** Called once for each function made: gives it what every strategy needs, and lets the workflows call it. */
  readonly prepare: (made: HandlerFunction, strategy: string) => void;
}

export class StrategyFunctions extends Construct {
  private readonly props: StrategyFunctionsProps;
  private readonly made = new Map<string, HandlerFunction>();

  constructor(scope: Construct, id: string, props: StrategyFunctionsProps) {
    super(scope, id);
    this.props = props;
  }

  /** @throws Error for a strategy that is not registered. */
  of(strategy: string): HandlerFunction {
    const existing = this.made.get(strategy);
    if (existing !== undefined) return existing;
    const manifest = manifestOf(strategy);
    const made = new HandlerFunction(this, strategy, {
      bundle: `strategy-${strategy}`,
      functionName: `${this.props.engineName}-strategy-${strategy}`,
      description: manifest.summary,
      timeoutSeconds: strategyTimeoutSeconds,
      environment: this.props.environment,
    });
    this.made.set(strategy, made);
    this.props.prepare(made, strategy);
    return made;
  }

  all(): readonly HandlerFunction[] {
    return [...this.made.values()];
  }

  arns(): StrategyArns {
    return Object.fromEntries([...this.made].map(([name, made]) => [name, made.function.functionArn]));
  }
}
