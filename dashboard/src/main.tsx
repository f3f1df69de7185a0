/** The dashboard's start. Everything from the API is shown as text: nothing here makes HTML out of strings. */
import { render } from 'preact';
import { App } from './app.tsx';
import './styles.css';

const root = document.querySelector('#app');
if (root !== null) render(<App />, root);
