// The public constructs of Ripcord.
export { Approval, type ApprovalConfig, type ApprovalRequired } from './approval.ts';
export { loadConfig } from './load-config.ts';
export { ProtectedService, type AlarmSignal, type ProtectedServiceProps } from './protected-service.ts';
export { RollbackEngine, type RollbackEngineProps } from './rollback-engine.ts';
export {
  RollbackTarget, type AlbWeightsOptions, type CodeDeployOptions, type EcsServiceOptions, type GoodSide, type Route53WeightsOptions, type SsmParameterOptions, type TargetInput,
} from './rollback-target.ts';
export { Verification, type JourneyInput, type JourneyProof, type VerificationConfig } from './verification.ts';
