/** Light, dark, or as the system is. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/** The name of the window's event: whoever draws by himself draws again. */
export const THEME_CHANGED = 'isola:theme';

const THEME_KEY = 'isola.theme';
const SCHEMES: Readonly<Record<string, string>> = { system: 'light dark', light: 'light', dark: 'dark' };

export function ThemePicker(): JSX.Element {
  const [theme, setTheme] = useState(() => localStorage.getItem(THEME_KEY) ?? 'system');
  useEffect(() => {
    document.documentElement.style.colorScheme = SCHEMES[theme] ?? 'light dark';
    localStorage.setItem(THEME_KEY, theme);
    dispatchEvent(new Event(THEME_CHANGED));
  }, [theme]);
  return (
    <select aria-label="Theme" value={theme} onChange={({ currentTarget }) => setTheme(currentTarget.value)}>
      <option value="system">System</option>
      <option value="light">Light</option>
      <option value="dark">Dark</option>
    </select>
  );
}
