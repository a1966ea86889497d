/** The station behind the native window: Tauri commands and a channel. */
import { Channel, invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import { getCurrentWebview } from '@tauri-apps/api/webview';
import type { Bench, Saved, Signals, Station } from './station';
import { Refused } from './station';
import type { Answer, DocumentKind, Receipt, Refusal, Update } from './wire';

/** True when the page runs in the native window. */
export const inWindow = () => '__TAURI_INTERNALS__' in globalThis;

async function call<T>(verb: string, args: Record<string, unknown>): Promise<T> {
  try {
    return await invoke<T>(verb, args);
  } catch (error) {
    if (typeof error === 'object' && error && 'message' in error && 'code' in error) {
      throw new Refused(error as Refusal);
    }
    throw new Refused({ code: 'internal', message: String(error) });
  }
}

export function windowStation(): Station {
  return {
    about: () => call('about', {}),
    // Whoever may open the window may use the station: its socket asks for no login.
    session: () =>
      Promise.resolve({ door: 'here', name: null, role: 'admin', open: true, operators: false, until: null }),
    command: (bench, command) => call<Receipt>('command', { bench, command }),
    query: (bench, query) => call<Answer>('query', { bench, query }),
    watch(bench: Bench, update, lost) {
      let open = true;
      const channel = new Channel<Update>();
      channel.onmessage = (news) => {
        if (open) update(news);
      };
      // The command lasts as long as the watch does.
      call<void>('watch', { bench, updates: channel }).then(
        () => open && lost('The station has ended.'),
        (error: Error) => open && lost(error.message),
      );
      return () => {
        open = false;
        void call('unwatch', { bench });
      };
    },
    save: (bench: Bench, document: DocumentKind) => call<Saved>('save', { bench, document }),
    archive: (packs) => call<Saved>('archive', { packs }),
    reveal: (path) => call('reveal', { path }),
    pickFile: () => call<string | null>('pick_file', {}),
    close: (how) => call('close', { how }),
    signals(signals: Signals) {
      const ends = [
        getCurrentWebview().onDragDropEvent(({ payload }) => {
          if (payload.type === 'drop') signals.dropped?.(payload.paths);
          else signals.files?.(payload.type === 'leave' ? 'away' : 'over');
        }),
        listen<string>('open', (event) => signals.open?.(event.payload)),
        listen('closing', () => signals.closing?.()),
      ];
      return () => ends.forEach((end) => void end.then((stop) => stop()));
    },
  };
}
