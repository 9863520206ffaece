/** Renders the page of the stories of the hooks, in StrictMode: React mounts each component twice. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.js';

const root = createRoot(document.getElementById('root') as HTMLElement);
root.render(
  <StrictMode>
    <App />
  </StrictMode>,
);
// A story ends the tree.
Object.assign(window, { unmount: () => root.unmount() });
