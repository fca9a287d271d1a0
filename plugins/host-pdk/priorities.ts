/** The two Lua guards around the plugins that run out of process (905 to 903). */
export const guardPriorities = { 'pdk-watch': 906, 'pdk-guard': 902 };
