/** The console's start. */
import { render } from 'preact';
import { App } from './views/app.js';

render(<App />, document.body);
