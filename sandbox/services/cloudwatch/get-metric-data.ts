// CloudWatch GetMetricData: several series and expressions in one call, newest first, in pages.
import type { GetMetricDataInput, GetMetricDataOutput, MetricDataResult } from '@aws-sdk/client-cloudwatch';
import { AwsError, type Operation } from '../../aws/world.ts';
import type { CloudWatch } from './cloudwatch.ts';
import { QueryRun, type QueryAnswer } from './metric-queries.ts';

const mostQueries = 500;
const mostPoints = 100_800;

export const getMetricData = (cloudwatch: CloudWatch): Operation<GetMetricDataInput, GetMetricDataOutput> => ({
  mutating: false,
  authorize: () => [{ action: 'cloudwatch:GetMetricData', resources: ['*'] }],
  run: (input, { place }) => {
    const { StartTime, EndTime, MetricDataQueries = [], MaxDatapoints = mostPoints, NextToken } = input;
    if (StartTime === undefined || EndTime === undefined || StartTime >= EndTime) throw new AwsError('ValidationError', 'The parameter StartTime must be less than the parameter EndTime.');
    if (MetricDataQueries.length === 0 || MetricDataQueries.length > mostQueries) throw new AwsError('ValidationError', `The collection MetricDataQueries must have between 1 and ${mostQueries} elements.`);
    const run = new QueryRun(MetricDataQueries, cloudwatch.storeIn(place.region), { start: StartTime.getTime(), end: EndTime.getTime() });
    const wanted = MetricDataQueries.filter(({ ReturnData }) => ReturnData ?? true);
    const answers = wanted.map(({ Id }) => run.answer(Id ?? ''));
    // With an expression in the request there is no paging: the results come whole.
    if (MetricDataQueries.some(({ Expression }) => Expression !== undefined)) return { MetricDataResults: answers.map((answer) => result(answer, input, { from: 0, to: Infinity })), Messages: [] };
    return page(answers, input, { from: offset(NextToken), size: Math.min(MaxDatapoints, mostPoints) });
  },
});

function page(answers: readonly QueryAnswer[], input: GetMetricDataInput, { from, size }: { from: number; size: number }): GetMetricDataOutput {
  let passed = 0;
  const results = answers.map((answer) => {
    const start = Math.max(0, from - passed);
    const end = Math.max(0, from + size - passed);
    passed += answer.points.size;
    return result(answer, input, { from: start, to: end });
  });
  return { MetricDataResults: results, Messages: [], ...(passed > from + size ? { NextToken: Buffer.from(JSON.stringify({ from: from + size })).toString('base64') } : {}) };
}

function result(answer: QueryAnswer, { ScanBy }: GetMetricDataInput, { from, to }: { from: number; to: number }): MetricDataResult {
  const points = [...answer.points].toSorted(([a], [b]) => (ScanBy === 'TimestampAscending' ? a - b : b - a)).slice(from, to);
  return {
    Id: answer.id,
    Label: answer.label,
    Timestamps: points.map(([at]) => new Date(at)),
    Values: points.map(([, value]) => value),
    StatusCode: to < answer.points.size ? 'PartialData' : 'Complete',
  };
}

function offset(token: string | undefined): number {
  if (token === undefined) return 0;
  try {
    const { from } = JSON.parse(Buffer.from(token, 'base64').toString()) as { from?: unknown };
    if (typeof from === 'number') return from;
  } catch {
    // Falls through to the refusal below.
  }
  throw new AwsError('InvalidNextToken', 'The next token specified is invalid.');
}
