/** Which page belongs to which address. */
import type { Component } from 'svelte';
import BatchPage from './batches/BatchPage.svelte';
import BatchesPage from './batches/BatchesPage.svelte';
import BatchWizard from './batches/BatchWizard.svelte';
import BenchPage from './bench/BenchPage.svelte';
import BoardPage from './board/BoardPage.svelte';
import WallPage from './bench/WallPage.svelte';
import HealthPage from './health/HealthPage.svelte';
import HistoryPage from './history/HistoryPage.svelte';
import ImagesPage from './images/ImagesPage.svelte';
import NamesPage from './names/NamesPage.svelte';
import RecordPage from './people/RecordPage.svelte';
import PlansPage from './plans/PlansPage.svelte';
import RehearsePage from './rehearse/RehearsePage.svelte';
import SettingsPage from './settings/SettingsPage.svelte';
import SetupPage from './setup/SetupPage.svelte';

const pages: Record<string, Component> = {
  bench: BenchPage,
  wall: WallPage,
  board: BoardPage,
  batches: BatchesPage,
  batch: BatchPage,
  'new-batch': BatchWizard,
  images: ImagesPage,
  plans: PlansPage,
  names: NamesPage,
  history: HistoryPage,
  health: HealthPage,
  record: RecordPage,
  settings: SettingsPage,
  setup: SetupPage,
  rehearse: RehearsePage,
};

/** The page of an address; the bench for an address that no page has. */
export const pageOf = (name: string): Component => pages[name] ?? BenchPage;
