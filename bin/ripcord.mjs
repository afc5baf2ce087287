#!/usr/bin/env node
// Starts the command line of Ripcord, which is TypeScript, on any supported Node.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
const { register } = await import('tsx/esm/api');
register();
const { main } = await import('./ripcord.ts');
process.exitCode = await main(process.argv);
