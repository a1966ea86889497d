/** Decides where the page is at home, and puts it on the screen. */
import { mount } from 'svelte';
import './styles/tokens.css';
import './styles/base.css';
import App from './App.svelte';
import { browserStation } from './lib/browser';
import type { Station } from './lib/station';
import { taste } from './lib/taste.svelte';
import { inWindow, windowStation } from './lib/window';

async function home(): Promise<Station> {
  if (inWindow()) return windowStation();
  if (import.meta.env.VITE_MOCK) return (await import('./lib/mock')).mockStation();
  return browserStation();
}

taste.show();
const target = document.getElementById('app');
if (target) mount(App, { target, props: { station: await home() } });
