// What SQS itself measures of each queue, every minute: how many messages wait, are being worked on, or are held back, and how many were sent to it.
import type { MetricsPort, SandboxClock } from '../../aws/world.ts';
import type { Queues } from './queues.ts';

const minute = 60_000;

/** Measures until the returned function is called. */
export function startQueueMetrics(queues: Queues, metrics: MetricsPort, clock: SandboxClock): () => void {
  return clock.every(minute, () => {
    for (const name of queues.names) {
      const { visible, hidden, delayed } = queues.counts(name);
      const sent = queues.takeSent(name);
      const counts = { ApproximateNumberOfMessagesVisible: visible, ApproximateNumberOfMessagesNotVisible: hidden, ApproximateNumberOfMessagesDelayed: delayed, NumberOfMessagesSent: sent };
      for (const [metric, value] of Object.entries(counts)) metrics.record({ namespace: 'AWS/SQS', name: metric, dimensions: { QueueName: name }, value, unit: 'Count' });
    }
  });
}
