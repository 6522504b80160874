/**
 * The type of the elements of a module, for editors: the build tells the compiler (--use real=f32).
 */
declare type real = f32;
