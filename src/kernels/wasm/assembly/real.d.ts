/** The type of a module's elements, for editors; the compiler is told by the build. */
declare type real = f32;
