// `cdk synth` as a newcomer runs it: no account, no network, one clear message for a wrong configuration.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { synthesize } from '../../lib/app.ts';
import { minimalYaml } from './config-samples.ts';

const directory = mkdtempSync(join(tmpdir(), 'ripcord-cli-test-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Without credentials, and with a proxy that nobody answers: a call to AWS would fail at once. */
const nowhere = {
  PATH: process.env['PATH'] ?? '', HOME: directory, CDK_DISABLE_CLI_TELEMETRY: 'true', AWS_EC2_METADATA_DISABLED: 'true',
  HTTPS_PROXY: 'http://127.0.0.1:9', HTTP_PROXY: 'http://127.0.0.1:9', NO_COLOR: '1',
};

const cdk = (...args: string[]) => promisify(execFile)(process.execPath, ['node_modules/aws-cdk/bin/cdk', ...args], { env: nowhere }).then(
  ({ stdout, stderr }) => ({ code: 0, text: stdout + stderr }),
  (error: { code: number; stdout: string; stderr: string }) => ({ code: error.code, text: error.stdout + error.stderr }),
);

test('synthesizes the example without an account, clean for cdk-nag', async () => {
  const { code, text } = await cdk('synth', '--quiet', '--output', join(directory, 'out'));
  expect(text).not.toMatch(/AwsSolutions-|^ERROR/m);
  expect(code).toBe(0);
  expect(existsSync(join(directory, 'out', 'Ripcord.template.json'))).toBe(true);
});

test('another configuration is chosen by context, and its mistakes are told without a stack trace', async () => {
  const config = join(directory, 'mine.yaml');
  writeFileSync(config, minimalYaml.replace('strategy: alb-weights', 'strategy: alb-weight'));
  const { code, text } = await cdk('synth', '--quiet', '--output', join(directory, 'wrong'), '-c', `config=${config}`);
  expect(code).not.toBe(0);
  expect(text).toContain('mine.yaml:5 services.checkout.targets.web.strategy: "alb-weight" is not known; did you mean "alb-weights"?');
  expect(text).not.toMatch(/^\s+at /m);
});

test('the sandbox synthesizes in its own process', () => {
  const config = join(directory, 'right.yaml');
  writeFileSync(config, minimalYaml);
  const templates = synthesize(config, join(directory, 'in-process'));
  expect(templates).toEqual([join(directory, 'in-process', 'Ripcord.template.json')]);
  expect(existsSync(templates[0] ?? '')).toBe(true);
});
