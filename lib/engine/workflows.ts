// The two state machines of an engine, and which functions each may call.
import { Construct } from 'constructs';
import type { ServiceConfig } from '../../lambdas/config/schema.ts';
import type { EngineNames } from './engine-names.ts';
import type { HandlerFunctions } from './handler-functions.ts';
import type { HandlerName } from './handler-timeouts.ts';
import { rollbackDefinition } from './rollback-definition.ts';
import { longestRollbackSeconds, longestWatchSeconds } from './rollback-length.ts';
import type { StrategyArns } from './strategy-states.ts';
import { watchDefinition } from './watch-definition.ts';
import { Workflow } from './workflow.ts';

export interface WorkflowsProps {
  readonly names: EngineNames;
  readonly handlers: HandlerFunctions;
  /** Both are read when the stack is synthesized: services are attached after the engine is made. */
  readonly strategies: () => StrategyArns;
  readonly services: () => readonly ServiceConfig[];
}

export class Workflows extends Construct {
  readonly rollback: Workflow;
  readonly watch: Workflow;

  constructor(scope: Construct, id: string, { names, handlers, strategies, services }: WorkflowsProps) {
    super(scope, id);
    const functionsOf = (...wanted: HandlerName[]) => wanted.map((name) => handlers.all[name].function);
    const arnOf = (name: HandlerName): string => handlers.all[name].function.functionArn;
    this.rollback = new Workflow(this, 'Rollback', {
      stateMachineName: names.rollback,
      comment: 'Rolls a service back, proves the recovery, records it',
      functions: functionsOf('assess', 'verify', 'approve', 'announce', 'report'),
      definition: () => rollbackDefinition({
        assess: arnOf('assess'), verify: arnOf('verify'), approve: arnOf('approve'), announce: arnOf('announce'), report: arnOf('report'),
      }, strategies(), longestRollbackSeconds(services())),
    });
    this.watch = new Workflow(this, 'Watch', {
      stateMachineName: names.watch,
      comment: 'Watches a release from its start through its bake',
      functions: functionsOf('watch', 'verify'),
      definition: () => watchDefinition({ watch: arnOf('watch'), verify: arnOf('verify'), rollback: names.rollbackArn }, strategies(), longestWatchSeconds(services())),
    });
    this.watch.allow([{ actions: ['states:StartExecution'], resources: [names.rollbackArn] }]);
  }
}
