// The parts of the probe (probe.c).
#pragma once

// Doors through which one environment could leave something for another: keeps `text` behind each; tells what is behind them.
void keep(const char* text);
void tell_kept(void);

// Files that promise rights to whoever executes them: those of the system, all beneath a directory, and self-made ones.
void rights_of_the_system(void);
void rights_beneath(const char* directory);
void rights_self_made(void);
