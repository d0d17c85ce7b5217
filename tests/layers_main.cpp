// The program of the linker's lock (CMakeLists.txt, add_layer_check): that it links is the test.
int main() {}
