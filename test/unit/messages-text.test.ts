// What messages are made of: text that is cut and cleaned, links to the console, commands that a shell reads as they are meant.
import { describe, expect, it } from 'vitest';
import { answerCommands } from '../../lambdas/runtime/messages-commands.ts';
import { duration, executionPage, plain, subjectOf } from '../../lambdas/runtime/messages-text.ts';
import { machineArn } from './report-samples.ts';

describe('the commands to answer', () => {
  it('survive an id that a shell would read otherwise', () => {
    const commands = answerCommands({ rollbackId: "x'(y)", url: 'https://answer.example/', machineArn });
    expect(commands).toContain(`npx ripcord approve 'x'\\''(y)'`);
  });
});

describe('text', () => {
  it('is cut, cleaned and readable', () => {
    expect(plain(' a\u0000<b>\n\nc ', 99)).toBe('a ‹b› c');
    expect(plain('x'.repeat(20), 10)).toBe('xxxxxxxxx…');
    expect(subjectOf('ü → <x>')).toBe('? -> (x)');
    expect([5, 60, 250, 7260].map((seconds) => duration(seconds))).toEqual(['5 s', '1 min', '4 min 10 s', '2 h 1 min']);
  });

  it('links to the console of the partition', () => {
    expect(executionPage(machineArn, 'rb-1')).toBe('https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/v2/executions/details/arn:aws:states:eu-west-1:123456789012:execution:ripcord-rollback:rb-1');
    expect(executionPage('arn:aws-cn:states:cn-north-1:123456789012:stateMachine:m', 'x')).toContain('https://cn-north-1.console.amazonaws.cn/');
  });
});
