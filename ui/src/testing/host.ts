/** Renders a page over a mock station that remembers what it was asked. For tests. */
import { render } from '@testing-library/svelte';
import type { Component } from 'svelte';
import { mockStation } from '../lib/mock';
import type { Bench, Station } from '../lib/station';
import type { Command, DocumentKind, Query } from '../lib/wire';
import Host from './Host.svelte';

export interface Heard {
  commands: Command[];
  queries: Query[];
  documents: DocumentKind[];
}

/** A mock station, and what it hears. */
export function listening(change: Partial<Station> = {}): { station: Station; heard: Heard } {
  const heard: Heard = { commands: [], queries: [], documents: [] };
  const mock = mockStation();
  const station: Station = {
    ...mock,
    command: (bench, command) => {
      heard.commands.push(command);
      return mock.command(bench, command);
    },
    query: (bench, query) => {
      heard.queries.push(query);
      return mock.query(bench, query);
    },
    save: (bench, document) => {
      heard.documents.push(document);
      return mock.save(bench, document);
    },
    ...change,
  };
  return { station, heard };
}

/** Shows a page at an address. */
export function show(page: Component, address = '#/', change: Partial<Station> = {}, bench: Bench = 'real') {
  location.hash = address;
  dispatchEvent(new HashChangeEvent('hashchange'));
  const { station, heard } = listening(change);
  return { ...render(Host, { station, page: page as Component<Record<string, unknown>>, bench }), heard };
}
