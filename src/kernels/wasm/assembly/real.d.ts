/** The type of a module's elements, for editors: the build says --use real=f32 or f64. */
declare type real = f32;
