/**
 * The page over its made-up station, built once for all tests and served as the station serves the real
 * one: same policy, same folders. Tests get its address by `inject('madeUp')`.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { artefacts, repository } from './places';

declare module 'vitest' {
  export interface ProvidedContext {
    madeUp: string;
  }
}

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** The content policy, read from where the station keeps it, so that the two cannot differ. */
function policy(): string {
  const source = readFileSync(join(repository, 'crates/station/src/doors/operator/page.rs'), 'utf8');
  const text = /const POLICY: &str = "([^"]*)"/.exec(source)?.[1];
  if (!text) throw new Error('The content policy is no longer in doors/operator/page.rs.');
  return text.replace(/\\\n\s*/g, '');
}

export default async function serve(project: TestProject) {
  const folder = join(artefacts, 'page');
  // The build must not know that a test asks for it, or it picks what is meant for tests.
  const env = { ...process.env };
  delete env.VITEST;
  delete env.NODE_OPTIONS;
  execFileSync(
    process.execPath,
    [join(repository, 'ui/node_modules/vite/bin/vite.js'), 'build', '--outDir', folder, '--emptyOutDir'],
    {
      cwd: join(repository, 'ui'),
      env: { ...env, VITE_MOCK: '1', NODE_ENV: 'production' },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const content = policy();
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://page').pathname;
    const file = path === '/' ? 'index.html' : path.slice(1).replaceAll('..', '');
    try {
      const bytes = readFileSync(join(folder, file));
      response.writeHead(200, {
        'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
        'content-security-policy': content,
        'x-content-type-options': 'nosniff',
      });
      response.end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  project.provide('madeUp', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return () => {
    server.closeAllConnections();
    server.close();
  };
}
