/** The station behind its management address: HTTP, on the same origin as the page. */
import type { Bench, Saved, Station } from './station';
import { ask, Refused } from './station';
import { identity } from './identity.svelte';
import { token } from './token';
import type { Answer, Download, Receipt, Refusal, Session, Update } from './wire';

const base = (bench: Bench) => (bench === 'real' ? '/api/v1' : '/api/v1/rehearsal');

/** What every request carries: the mark of the page, which no other site's page can send, and the token. */
function headers(): Record<string, string> {
  const text = token.get();
  return { 'x-punnet': 'page', ...(text ? { authorization: `Bearer ${text}` } : {}) };
}

const unreachable = (): Refusal => ({
  code: 'unavailable',
  message: 'The station does not answer.',
  next: 'See whether it still runs; this page connects again by itself.',
});

function refused(answer: unknown, response: Response): Refused {
  const refusal = answer as Refusal | null;
  if (response.status === 401) identity.refused();
  return new Refused(refusal ?? { code: 'internal', message: response.statusText });
}

async function send<T>(path: string, init: RequestInit, fault = refused): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch {
    throw new Refused(unreachable());
  }
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok) return answer as T;
  throw fault(answer, response);
}

function post<T>(path: string, body: unknown, fault = refused): Promise<T> {
  const kind = { 'content-type': 'application/json' };
  const init = { method: 'POST', headers: { ...kind, ...headers() }, body: JSON.stringify(body) };
  return send<T>(path, init, fault);
}

/** A wrong password is no reason to ask for a login: one is being asked for. */
const wrongLogin = (answer: unknown, response: Response) =>
  new Refused((answer as Refusal | null) ?? { code: 'internal', message: response.statusText });

/** Updates, one line each; an empty line is a sign of life. */
async function follow(bench: Bench, signal: AbortSignal, update: (update: Update) => void) {
  const response = await fetch(`${base(bench)}/watch`, { headers: headers(), signal });
  if (!response.ok || !response.body) {
    throw refused(await response.json().catch(() => null), response);
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line) update(JSON.parse(line) as Update);
  }
}

/** Leads the browser to something, which it saves under this name. */
function lead(address: string, name: string): Saved {
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  return { path: null, name };
}

function download(name: string, type: string, base64: string): Saved {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const address = URL.createObjectURL(new Blob([bytes], { type }));
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
  return lead(address, name);
}

/** Sends a file. Only XMLHttpRequest tells how far the sending is. */
function upload(file: File, progress: (sent: number) => void): Promise<string> {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open('POST', `/api/v1/upload?file_name=${encodeURIComponent(file.name)}`);
    for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => progress(event.loaded);
    request.onerror = () => failed(new Refused(unreachable()));
    request.onload = () => {
      const answer: unknown = JSON.parse(request.responseText || 'null');
      if (request.status === 200) done((answer as { path: string }).path);
      else failed(refused(answer, new Response(null, { status: request.status })));
    };
    request.send(file);
  });
}

export function browserStation(): Station {
  token.fromAddress();
  return {
    about: () => Promise.resolve({ home: 'browser', engine: 'daemon' }),
    session: () => send<Session>('/api/v1/session', { headers: headers() }),
    login: (name, password) => post<Session>('/api/v1/login', { name, password }, wrongLogin),
    changePassword: (present, password) => post<Session>('/api/v1/password', { present, password }),
    logout: async () => void (await post<Session>('/api/v1/logout', {})),
    command: (bench, command) => post<Receipt>(`${base(bench)}/command`, command),
    query: (bench, query) => post<Answer>(`${base(bench)}/query`, query),
    watch(bench, update, lost) {
      const end = new AbortController();
      follow(bench, end.signal, update).then(
        () => end.signal.aborted || lost('The station has ended.'),
        (error: Error) =>
          end.signal.aborted || lost(error instanceof Refused ? error.message : unreachable().message),
      );
      return () => end.abort();
    },
    upload,
    async save(bench, kind) {
      const drawn = await ask(this, bench, { query: 'document', ...kind });
      return download(drawn.file_name, drawn.media_type, drawn.base64);
    },
    async archive(packs) {
      const { key, file_name } = await post<Download>('/api/v1/archive', { packs });
      // The browser takes it from here, straight to the disk: it may be larger than its memory.
      return lead(`/api/v1/archive/${key}`, file_name);
    },
    signals: () => () => {},
  };
}
